package jacquard.tests.ranks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Grad;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.data.Batches;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.clip.train.Compute;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.task.Contrastive;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Interpreter;
import jacquard.tensor.Pass;
import jacquard.tensor.Precision;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Update;
import jacquard.tests.Draw;
import jacquard.tests.train.Setup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a pass says of precision and of recomputation.
@Timeout(300)
class PrecisionTest {
  private static final String TEXT =
      "\"text_cfg\": {\"context_length\": 8, \"vocab_size\": 49408, \"width\": 16, \"heads\": 2, \"layers\": 1}, \"init_logit_bias\": -5}";
  private static final String VIT =
      "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": 1, \"width\": 16, \"head_width\": 8, "
      + "\"patch_size\": 8, \"patch_dropout\": 0.25}, " + TEXT;
  private static final String RESNET =
      "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": [1, 1, 1, 1], \"width\": 8}, " + TEXT;
  private static final Set<Class<?>> HALF = Set.of(Fused.Linear.class, Contraction.MatMul.class, Fused.Conv2d.class,
      Attention.class, Adjoint.Conv2dInput.class, Adjoint.Conv2dWeight.class, Adjoint.LinearWeight.class);
  private static final Set<Class<?>> FULL = Set.of(Fused.LayerNorm.class, Fused.Normalize.class, Fused.BatchNorm.class,
      Fused.Softmax.class, jacquard.tensor.op.Contrastive.Softmax.class, jacquard.tensor.op.Contrastive.Sigmoid.class,
      Adjoint.LayerNorm.class, Adjoint.Normalize.class, Adjoint.BatchNorm.class, Adjoint.SoftmaxContrastive.class);

  /// The policy's cast of a parameter is kept beside it and follows it; one by hand stays what it was.
  @Test void castsByHandAreCopies() {
    try (var _ = Scope.open(Device.best())) {
      var p = Tensor.full(Shape.of(3), 1);
      Tensor.applyAll(new Update.Blend(1, 1), List.of(p, Tensor.full(Shape.of(3), 2)));
      var byHand = p.cast(DType.BF16);
      Tensor.applyAll(new Update.Blend(1, 1), List.of(p, Tensor.full(Shape.of(3), 3)));
      assertArrayEquals(new float[] {2, 2, 2}, byHand.floats());
      for (float value : new float[] {4, 5}) {
        Tensor.applyAll(new Update.Blend(1, 1), List.of(p, Tensor.full(Shape.of(3), value)));
        assertArrayEquals(new float[] {value, value, value}, pass(Precision.BF16).call(() -> p.cast(DType.BF16))
            .floats());
      }
    }
  }

  private static Batches batches(ClipConfig config) throws IOException {
    return new Batches(EmojiSource.training(), new Transform(HubConfig.preprocess(config)),
        Augmentation.DEFAULT.scale(0.5, 1), 16, 8, 3);
  }

  private static Contrastive.Loss loss(boolean sigmoid) {
    return sigmoid ? Contrastive.Loss.SIGMOID : Contrastive.Loss.SOFTMAX;
  }

  private static Pass pass(Precision p) { return Pass.training(Random.of(5)).precision(p); }

  /// Runs `f` with `eye` looking at every op that a device runs.
  private static <T> T watched(BiConsumer<Op, List<Tensor>> eye, Supplier<T> f) {
    Interpreter watching = (op, in) -> {
      eye.accept(op, in);
      return Interpreter.PLAIN.apply(op, in);
    };
    return ScopedValue.where(Interpreter.CURRENT, watching).call(f::get);
  }

  @ParameterizedTest @CsvSource({"vit,false", "vit,true",
      "resnet,false"}) void productsSeeHalvesAndNormsAndLossesSeeFloats(String model, boolean sigmoid)
      throws IOException {
    var config = ClipConfig.parse(model.equals("vit") ? VIT : RESNET);
    var batch = batches(config).at(0);
    var seen = new HashSet<Class<?>>();
    try (var _ = Scope.open(Device.named("cpu"))) {
      var m = ClipModel.create(config, 1);
      var step = watched((op, in) -> {
        var expected = HALF.contains(op.getClass()) ? DType.BF16 : FULL.contains(op.getClass()) ? DType.F32 : null;
        if (expected == null) return;
        seen.add(op.getClass());
        // a layer's factors; its bias and what it adds to stay in full precision; what products send back to a norm
        for (int i = 0; i < in.size(); i++) {
          var own = op instanceof Fused.Linear && i >= 2 ? DType.F32 : op instanceof Adjoint.LayerNorm && i == 4
              ? DType.BF16 : expected;
          if (in.get(i).dtype().floating()) assertEquals(own, in.get(i).dtype(), () -> op + " of " + in);
        }
      }, () -> Gradients.of(new Contrastive(m, loss(sigmoid)), batch, 1, pass(Precision.BF16)));
      step.gradients().forEach((name, g) -> assertEquals(DType.F32, g.dtype(), name));
      m.parameters().trained().forEach((name, p) -> assertEquals(DType.F32, p.dtype(), name));
    }
    assertTrue(seen.containsAll(List.of(Fused.Linear.class, Contraction.MatMul.class, Fused.Conv2d.class,
        Attention.class, Fused.LayerNorm.class, Adjoint.LayerNorm.class,
        Fused.Normalize.class, model.equals("vit") ? Fused.LayerNorm.class : Fused.BatchNorm.class, sigmoid
        ? jacquard.tensor.op.Contrastive.Sigmoid.class : jacquard.tensor.op.Contrastive.Softmax.class)),
        seen.toString());
  }

  /// One rounding to BF16 is a relative error of at most u = 2⁻⁹ (to F16 2⁻¹²), of random sign. A feature's way has 7
  /// products (patches, queries and keys, attention, two projections, two of the MLP) of two rounded inputs and a
  /// rounded output each: K = 21, so that a feature is off by √K·u of its length and a cosine in d = 16 dimensions by
  /// √(2K/d)·u. Times the scale s that is a logit's error; the loss is off by at most that times what its slopes along
  /// a row add up to (softmax: Σ|p − target| ≤ 2; sigmoid, a sum over the row: at most its 16 pairs), and the gradient,
  /// p − target carried back through 2K roundings, by at most twice (s·√(2K/d) + √(2K))·u of its length. Descent gains
  /// η·‖g‖² a step, and that share of the gain is what later losses may differ by besides.
  @ParameterizedTest @CsvSource({"BF16, false", "BF16, true", "F16, false", "F16, true"})
  void aShortTrainingFollowsFullPrecision(Precision half, boolean sigmoid) throws IOException {
    var config = ClipConfig.parse(VIT);
    var batches = batches(config);
    double u = half == Precision.F16 ? 0x1p-12 : 0x1p-9, k = 21, d = 16;
    double[][] losses = new double[2][12];
    float[][] gradient = new float[2][];
    double scale = 0;
    for (int i = 0; i < 2; i++)
      try (var _ = Scope.open(Device.named("cpu"))) {
        var model = ClipModel.create(config, 1);
        var parameters = model.parameters();
        var optimizer = new Optimizer(new Optimizer.Sgd(0, false), parameters, 0, _ -> false);
        for (int s = 0; s < 12; s++)
          try (var _ = Scope.open()) {
            var step = Gradients.of(new Contrastive(model, parameters, loss(sigmoid)), batches.at(0), 1,
                pass(i == 0 ? Precision.FP32 : half));
            losses[i][s] = step.loss();
            if (s == 0) gradient[i] = joined(step.gradients().values());
            optimizer.step(step.gradients(), sigmoid ? 0.002 : 0.02, 1);
            scale = Math.max(scale, model.scale().item());
          }
      }
    double share = 2 * (scale * Math.sqrt(2 * k / d) + Math.sqrt(2 * k)) * u, difference = 0, length = 0;
    for (int i = 0; i < gradient[0].length; i++) {
      difference += Math.pow(gradient[1][i] - gradient[0][i], 2);
      length += gradient[0][i] * (double) gradient[0][i];
    }
    assertTrue(difference > 0 && Math.sqrt(difference / length) < share,
        "gradients differ by " + Math.sqrt(difference / length) + " of their length, bound " + share);
    assertTrue(losses[0][11] < losses[0][0] - 0.1, "the loss falls from " + losses[0][0] + " to " + losses[0][11]);
    for (int s = 0; s < 12; s++)
      assertEquals(losses[0][s], losses[1][s],
          (sigmoid ? 16 : 2) * scale * Math.sqrt(2 * k / d) * u + share * (losses[0][0] - losses[0][s]), "step " + s);
  }

  private static float[] joined(Iterable<Tensor> tensors) {
    float[] all = new float[0];
    for (var t : tensors) {
      float[] v = t.floats();
      int at = all.length;
      all = java.util.Arrays.copyOf(all, at + v.length);
      System.arraycopy(v, 0, all, at, v.length);
    }
    return all;
  }

  /// Blocks that run again give the bits of blocks that were kept.
  @ParameterizedTest @CsvSource({"vit,FP32,1", "vit,BF16,1", "vit,FP32,2", "resnet,FP32,1",
      "resnet,BF16,1"}) void recomputationGivesTheSameBits(String model, Precision precision, int parts)
      throws IOException {
    var config = ClipConfig.parse(model.equals("vit")
        ? VIT.replace("\"layers\": 1, \"width\": 16, \"head", "\"layers\": 3, \"width\": 16, \"head") : RESNET);
    var batch = batches(config).at(0);
    try (var _ = Scope.open(Device.named("cpu"))) {
      ClipModel kept = ClipModel.create(config, 1), again = ClipModel.create(config, 1);
      var a = Gradients.of(new Contrastive(kept, loss(false)), batch, parts, pass(precision));
      var b = Gradients.of(new Contrastive(again, loss(false)), batch, parts, pass(precision).recompute(true));
      assertEquals(a.loss(), b.loss());
      assertEquals(a.gradients().keySet(), b.gradients().keySet());
      a.gradients().forEach((name, g) -> assertArrayEquals(g.floats(), b.gradients().get(name).floats(), name));
      var statistics = again.parameters().all();
      kept.parameters().all().forEach((name, t) -> {
        if (name.contains("running_")) assertArrayEquals(t.floats(), statistics.get(name).floats(), name);
      });
    }
  }

  /// Most bytes live at any op of a step.
  private static long peak(ClipConfig config, boolean recompute) throws IOException {
    var batch = batches(config).at(0);
    var device = Device.named("cpu");
    var most = new AtomicLong();
    try (var _ = Scope.open(device)) {
      var m = ClipModel.create(config, 1);
      m.parameters().all().values().forEach(t -> t.storage().block());           // drawn now
      long before = device.live().bytes();
      watched((_, _) -> most.accumulateAndGet(device.live().bytes() - before, Math::max), () ->
          Gradients.of(new Contrastive(m, m.parameters().freeze("text.token_embedding.weight"), loss(false)), batch, 1,
              pass(Precision.FP32).recompute(recompute)));
    }
    return most.get();
  }

  /// Twelve blocks keep one tensor each in place of about a dozen; what one block needs while it runs again comes on
  /// top, and gradients of parameters.
  @Test void recomputationNeedsLessMemory() throws IOException {
    var config = ClipConfig.parse(VIT.replace("\"layers\": 1, \"width\": 16, \"head",
        "\"layers\": 12, \"width\": 16, \"head").replace("\"patch_size\": 8", "\"patch_size\": 4"));
    long kept = peak(config, false), again = peak(config, true);
    assertTrue(again < kept / 2, again + " bytes against " + kept);
  }

  /// Norm → linear with activation → linear, eight times: what waits for backward is each block's input, its
  /// pre-activation and the statistics of its norm; the norm's result and the activation's are made again. Of backward
  /// itself there are an activation made again, its cotangent and a few tensors of the width. Size classes add up to a
  /// quarter. Kept, they would be 1.8 times as much.
  @Test void cheapOpsAreMadeAgain() {
    int rows = 256, width = 64, hidden = 256, blocks = 8;
    // whose pool no other test has filled with longer arrays, which would serve and count
    var device = Device.named("cpu:7");
    long before = device.live().blocks();
    try (var _ = Scope.open(device)) {
      Tensor x = Draw.uniform(1, Shape.of(rows, width), -1, 1), up =
          Draw.uniform(2, Shape.of(hidden, width), -0.1f, 0.1f), down =
          Draw.uniform(3, Shape.of(width, hidden), -0.1f, 0.1f);
      Tensor ones = Tensor.full(Shape.of(width), 1), zeros = Tensor.zeros(Shape.of(width));
      long held = device.live().bytes();
      var waiting = new AtomicLong();
      watched((op, _) -> {
        if (op instanceof Adjoint) waiting.compareAndSet(0, device.live().bytes() - held);
      }, () -> Grad.vjp(List.of(x, up, down, ones, zeros), in -> {
        var y = in.getFirst();
        for (int b = 0; b < blocks; b++) {
          var h = y;
          y = Scope.result(() -> h.layerNorm(in.get(3), in.get(4), 1e-5f).linear(in.get(1), null, Activation.GELU)
              .linear(in.get(2), null, Activation.NONE));
        }
        return List.of(y);
      }, y -> List.of(Draw.uniform(4, y.getFirst().shape(), -1, 1))));
      long expected = 4L * rows * (blocks * (width + hidden + 2L) + 2L * hidden + 4L * width);
      assertTrue(waiting.get() > 0 && waiting.get() < expected * 5 / 4,
          waiting.get() + " bytes wait for backward, expected " + expected);
    }
    assertEquals(before, device.live().blocks());
  }

  private static Setup setup(Compute on) {
    return new Setup(VIT).batch(8).schedule(new Schedule.Constant(1e-3, 1)).augmentation(Augmentation.DEFAULT).save(2)
        .on(on);
  }

  @Test void resumeKeepsThePrecision(@TempDir Path folder) throws IOException {
    var half = new Compute(List.of(Device.named("cpu")), Precision.BF16, false);
    setup(half).begin(folder.resolve("whole"), 4);
    setup(half).begin(folder.resolve("parts"), 2);
    var e = assertThrows(IOException.class, () -> setup(Compute.on(Device.best())).resume(folder.resolve("parts"), 4));
    assertTrue(e.getMessage().contains("--precision amp_bf16, not fp32"), e.getMessage());
    setup(half).resume(folder.resolve("parts"), 4);
    assertEquals(-1, Files.mismatch(folder.resolve("whole/resume.safetensors"),
        folder.resolve("parts/resume.safetensors")));
  }

  @Test void namesAreOpenClips() {
    assertEquals(Precision.BF16, Precision.named("amp_bf16"));
    assertEquals(Precision.F16, Precision.named("amp"));
    for (var p : Precision.values()) assertEquals(p, Precision.named(p.flag()));
    assertTrue(assertThrows(IllegalArgumentException.class, () -> Precision.named("int8")).getMessage()
        .contains("expected fp32, amp_bf16 or amp"));
  }
}
