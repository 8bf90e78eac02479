package jacquard.bench;

import jacquard.bench.harness.Agreement;
import jacquard.bench.harness.Ceiling;
import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Flops;
import jacquard.bench.harness.Lane;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Onnx;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Worker;
import jacquard.clip.Clip;
import jacquard.clip.image.Transform;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.tensor.Device;
import java.util.Arrays;
import java.util.Map;
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
/// weights shows (350 MB of them for ViT-B). Features agree with both peers to 1e-5 of the largest. Of the share count
/// the products, convolutions and attention that we compute: what a pooled row does not need, we leave out.
@State(Scope.Benchmark)
public class B07_ImageEncode implements Work.Case {
  /// What we want beside OpenCLIP, at batch 32 and 1, and the share of peak that would do at batch 32.
  private record Target(double many, double one, double share) {}
  private static final Target TRANSFORMER = new Target(1.5, 1.5, 0.85), CONVOLUTION = new Target(1.1, 1.1, Double.NaN);
  private static final Map<String, Target> TARGETS = Map.of("ViT-B-32", new Target(1.25, 2, Double.NaN),
      "ViT-B-16-SigLIP", TRANSFORMER, "EVA02-B-16", TRANSFORMER, "PE-Core-B-16", TRANSFORMER, "ViTamin-S", TRANSFORMER,
      "convnext_base", CONVOLUTION, "MobileCLIP-S1", CONVOLUTION, "swin_base_patch4_window7_224", CONVOLUTION);
  private static final Target NONE = new Target(Double.NaN, Double.NaN, Double.NaN);

  @Param({"ViT-B-32", "ViT-B-16", "RN50", "ViT-B-16-SigLIP", "EVA02-B-16", "PE-Core-B-16", "ViTamin-S", "convnext_base",
      "MobileCLIP-S1", "swin_base_patch4_window7_224"}) public String model;
  @Param({"32", "1"}) public int batch;
  @Param({Worker.OPEN_CLIP, Onnx.NAME}) public String peer;

  private Contest contest;
  private double flops;

  private boolean onnx() { return peer.equals(Onnx.NAME); }

  /// ONNX Runtime, and one thread, for the oldest towers alone.
  @Override public boolean on(int threads) {
    return model.equals("ViT-B-32") || model.equals("ViT-B-16") || model.equals("RN50") || threads == 2 && !onnx();
  }

  @Override public Work work() {
    var t = TARGETS.getOrDefault(model, NONE);
    double ratio = !onnx() ? batch == 1 ? t.one : t.many : !model.equals("ViT-B-32") ? Double.NaN : batch == 1 ? 1
        : 1.1;
    return new Work("image encode " + model + " batch " + batch, Work.Unit.EACH, batch, peer, ratio, batch == 1
        ? Double.NaN : t.share);
  }

  @Setup public void open() throws Exception {
    var clip = Clip.load(Samples.model(model));
    float[] pixels = Samples.pixels(model, batch);
    Supplier<float[]> ours = () -> {
      try (var _ = jacquard.tensor.Scope.open(Device.best())) {
        return clip.model().embedImages(ImageBatch.of(pixels, batch, clip.model().visual().input())).floats();
      }
    };
    flops = Flops.of(ours::get);
    float[] theirs;
    Lane lane;
    if (onnx()) {
      var onnx = Onnx.tower(model);
      float[] planes = new float[pixels.length];
      for (int b = 0; b < batch; b++)
        System.arraycopy(Transform.planes(Arrays.copyOfRange(pixels, b * pixels.length / batch,
            (b + 1) * (pixels.length / batch))), 0, planes, b * (pixels.length / batch), pixels.length / batch);
      theirs = onnx.features(planes, batch);
      lane = Lane.of(onnx.work(planes, batch));
    } else {
      var worker = Worker.openClip(model, Samples.weights(model), Samples.batch(model, 32));
      theirs = worker.features("images " + batch);
      lane = worker.lane("images " + batch);
    }
    // batch 1 of ours is the first caption's drawing, as the first of the peers' 32
    Agreement.check(work().name(), ours.get(), theirs, 1e-5);
    contest = Contest.of(ours::get, lane).under(Ceiling.fma());
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work().of(flops)); }
}
