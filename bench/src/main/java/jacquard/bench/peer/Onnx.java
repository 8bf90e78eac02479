package jacquard.bench.peer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import jacquard.bench.harness.Lane;
import jacquard.kernels.cpu.Parallel;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.util.Map;

/// ONNX Runtime in this JVM, on the image tower that PyTorch exported.
public record Onnx(OrtEnvironment environment, OrtSession session) {
  public static final String NAME = "ONNX Runtime";

  public static Onnx tower(String model) throws IOException, OrtException {
    var file = Samples.model(model).resolve("visual.onnx");
    if (!Files.exists(file))
      try (var w = Worker.openClip(model, Samples.weights(model), Samples.batch(model, 32))) {
        w.ask("export " + file.toAbsolutePath());
      }
    var environment = OrtEnvironment.getEnvironment();
    var options = new OrtSession.SessionOptions();
    options.setIntraOpNumThreads(Parallel.threads());
    options.setInterOpNumThreads(1);
    options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
    // its threads spin while it works, not while we do
    options.addConfigEntry("session.force_spinning_stop", "1");
    return new Onnx(environment, environment.createSession(file.toString(), options));
  }

  public float[] features(float[] nchw, int count) throws OrtException {
    try (var in = OnnxTensor.createTensor(environment, FloatBuffer.wrap(nchw), new long[] {count, 3, 224, 224});
        var out = session.run(Map.of("images", in))) {
      return ((OnnxTensor) out.get(0)).getFloatBuffer().array();
    }
  }

  public Lane.Work work(float[] nchw, int count) { return () -> features(nchw, count); }
}
