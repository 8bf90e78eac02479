package jacquard.tests.autograd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Grad;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Precision;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Ranges;
import jacquard.tensor.op.Update;
import jacquard.tests.Draw;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.TestAbortedException;

/// Under mixed precision the gradient of whatever is learned is F32: not only in its type, but summed in F32, and never
/// rounded to BF16 on its way.
@Timeout(300)
class WeightGradientsTest {
  private static final String TEXT =
      ", \"text_cfg\": {\"context_length\": 8, \"vocab_size\": 99, \"width\": 16, \"heads\": 2, \"layers\": 2}}";
  private static final String VIT =
      "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": 2, \"width\": 16, \"head_width\": 8, "
      + "\"patch_size\": 8%s}" + TEXT;
  private static final String RESNET =
      "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": [1, 1, 1, 1], \"width\": 8}" + TEXT;

  private static Device device(String name) {
    var why = Device.unavailable().get(name);
    if (why != null) throw new TestAbortedException("no " + name + " device: " + why);
    return Device.named(name);
  }

  private static Pass pass() { return Pass.training(Random.of(5)).precision(Precision.BF16); }

  /// Whether a sum was made or kept in BF16: all its elements are of it.
  private static void unrounded(String name, Tensor g) {
    assertEquals(DType.F32, g.dtype(), name);
    int halves = 0, zeros = 0;
    float[] v = g.floats();
    for (float x : v) {
      if (DType.fromBf16(DType.toBf16(x)) == x) halves++;
      if (x == 0) zeros++;
    }
    assertTrue(zeros < v.length, () -> name + ": no gradient flows back");
    assertTrue(halves < v.length, () -> name + " " + g.shape() + ": all of its gradient is rounded to BF16");
  }

  @ParameterizedTest @CsvSource({"cpu,vit", "cpu,average", "cpu,attention", "cpu,resnet", "cuda,vit",
      "cuda,resnet"}) void ofEveryParameter(String device, String model) {
    var config = ClipConfig.parse(switch (model) {
      case "vit" -> VIT.formatted("");
      case "average" -> VIT.formatted(", \"pool_type\": \"avg\"");
      case "attention" ->
          VIT.formatted(", \"attentional_pool\": true, \"attn_pooler_heads\": 2, \"attn_pooler_queries\": 4");
      default -> RESNET;
    });
    try (var _ = Scope.open(device(device))) {
      var m = ClipModel.create(config, 1);
      // zeros at the start
      m.parameters().all().forEach((name, p) -> {
        if (name.endsWith("bn3.weight"))
          Tensor.applyAll(new Update.Blend(1, 1), List.of(p, Draw.uniform(4, p.shape(), 0.5f, 1)));
      });
      int count = 3;
      var pixels = ImageBatch.of(Draw.uniform(1, Shape.of(count * 32 * 32, 3), -2, 2).floats(), count, Grid.of(32));
      int[][] tokens = {{97, 5, 7, 98, 0, 0, 0, 0}, {97, 11, 98, 0, 0, 0, 0, 0}, {97, 1, 2, 3, 4, 5, 6, 98}};
      var step = pass().call(() -> Grad.valueAndGrad(m.parameters(), () -> {
        Tensor x = m.embedImages(pixels), t = m.embedTexts(tokens);
        return x.mul(Draw.uniform(2, x.shape(), -1, 1)).sum().add(t.mul(Draw.uniform(3, t.shape(), -1, 1)).sum())
            .mul(m.scale());
      }));
      assertEquals(List.of(), step.unreached());
      // of the one query that is pooled, a row is the sum
      step.gradients().forEach((name, g) -> { if (!name.endsWith("ln_q.bias")) unrounded(name, g); });
    }
  }

  /// A product, layers with and without a bias, a frozen weight's bias, a convolution and the bias of attention.
  @ParameterizedTest @ValueSource(strings = {"cpu", "cuda"}) void ofEveryOpThatLearns(String device) {
    try (var _ = Scope.open(device(device))) {
      Tensor x = Draw.uniform(1, Shape.of(65, 24), -1, 1), w = Draw.uniform(2, Shape.of(16, 24), -1, 1), b =
          Draw.uniform(3, Shape.of(16), -1, 1);
      learned("matmul", w.permute(1, 0).copy(), v -> x.matmul(v));
      learned("matmul, transposed", w, v -> x.matmul(false, v, true));
      learned("matmul of a transpose", w.permute(1, 0).copy(), v -> x.permute(1, 0).copy().matmul(true, v, false));
      for (var f : List.of(Activation.NONE, Activation.GELU)) {
        learned("linear", w, v -> x.linear(v, null, f));
        learned("linear with a bias", w, v -> x.linear(v, b, f));
        learned("the bias of a frozen layer", b, v -> x.linear(w, v, f));
      }
      learned("convolution", Draw.uniform(4, Shape.of(8, 3, 3, 24), -1, 1), v ->
          Tensor.apply(new Fused.Conv2d(new Grid(13, 5), 1, 1), x, v));
      var s = Sequences.ofLengths(13, 52);
      learned("attention's bias", Draw.uniform(5, Shape.of(3, 52, 52), -1, 1), v ->
          Tensor.apply(new Attention(3, 0.3f, s, s, Ranges.full(s, s)).withBias(), x, x, x, v));
    }
  }

  private static void learned(String name, Tensor weight, Function<Tensor, Tensor> f) {
    var d = pass().call(() -> Grad.vjp(List.of(weight), in -> List.of(f.apply(in.getFirst())), y ->
        List.of(Draw.uniform(9, y.getFirst().shape(), -1, 1))));
    unrounded(name, new ArrayList<>(d.gradients()).getFirst());
  }
}
