package jacquard.bench;

import jacquard.bench.harness.Agreement;
import jacquard.bench.harness.Ceiling;
import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Lane;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Onnx;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Worker;
import jacquard.clip.Clip;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import java.util.Arrays;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Whole image towers, pixels to normalised features: what a service does all day. OpenCLIP is a process of its own
/// that takes turns with this JVM; ONNX Runtime runs in it, on the tower that PyTorch exported.
///
/// What you should see: at batch 32 the share of peak is that of the matrix products, at batch 1 the reading of the
/// weights shows (350 MB of them for ViT-B). Features agree with both peers to 1e-5 of the largest.
@State(Scope.Benchmark)
public class B07_ImageEncode implements Work.Case {
  @Param({"ViT-B-32", "ViT-B-16", "RN50"}) public String model;
  @Param({"32", "1"}) public int batch;
  @Param({Worker.OPEN_CLIP, Onnx.NAME}) public String peer;

  private Contest contest;

  @Override public Work work() {
    double flops = 1e9 * switch (model) { case "ViT-B-32" -> 8.82; case "ViT-B-16" -> 35.1; default -> 12.1; };
    double target = !model.equals("ViT-B-32") ? Double.NaN : peer.equals(Onnx.NAME) ? batch == 1 ? 1 : 1.1 : batch == 1
        ? 2 : 1.25;
    return new Work("image encode " + model + " batch " + batch, Work.Unit.EACH, batch, peer, target).of(flops * batch);
  }

  @Setup public void open() throws Exception {
    var clip = Clip.load(Samples.model(model));
    float[] pixels = Samples.pixels(batch);
    Supplier<float[]> ours = () -> {
      try (var _ = jacquard.tensor.Scope.open(Device.best())) {
        return clip.model().embedImages(ImageBatch.of(pixels, batch, new Grid(224, 224))).floats();
      }
    };
    float[] theirs;
    Lane lane;
    if (peer.equals(Onnx.NAME)) {
      var onnx = Onnx.tower(model);
      float[] planes = new float[pixels.length];
      for (int b = 0; b < batch; b++)
        System.arraycopy(jacquard.clip.image.Transform.planes(Arrays.copyOfRange(pixels, b * pixels.length / batch,
            (b + 1) * (pixels.length / batch))), 0, planes, b * (pixels.length / batch), pixels.length / batch);
      theirs = onnx.features(planes, batch);
      lane = Lane.of(onnx.work(planes, batch));
    } else {
      var worker = Worker.openClip(model, Samples.weights(model), Samples.batch(32));
      theirs = worker.features("images " + batch);
      lane = worker.lane("images " + batch);
    }
    // batch 1 of ours is the first caption's drawing, as the first of the peers' 32
    Agreement.check(work().name(), ours.get(), theirs, 1e-5);
    contest = Contest.of(ours::get, lane).under(Ceiling.fma());
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work()); }
}
