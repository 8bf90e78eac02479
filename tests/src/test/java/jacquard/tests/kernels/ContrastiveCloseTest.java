package jacquard.tests.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Grad;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Contrastive;
import jacquard.tests.Draw;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opentest4j.TestAbortedException;

/// Where all features are alike, as those of a new or collapsed model are, the softmaxes of each row and column are 1/n
/// and add up to what their target does: the gradients of features are 0, but for some roundings of 1 beside `scale`,
/// not of the logits, which are `scale` times as large.
class ContrastiveCloseTest {
  private static final float SCALE = 100, EPSILON = 0x1p-24f;

  @ParameterizedTest @CsvSource({"cpu,60", "cpu,77", "cuda,60", "cuda,77"})
  void equalFeaturesHaveNoGradient(String name, int n) {
    if (Device.unavailable().get(name) != null) throw new TestAbortedException("no device: " + name);
    var device = Device.named(name);
    try (var _ = Scope.open(device)) {
      var features = Draw.uniform(1, Shape.of(1, 32), -1, 1).normalize().expand(Shape.of(n, 32)).dense();
      var loss = new Contrastive.Softmax(64, false, false);
      var gradients = Grad.vjp(List.of(features, features, Tensor.scalar(SCALE)), in -> Tensor.applyAll(loss, in), _ ->
          List.of(Tensor.scalar(1))).gradients().subList(0, 2);
      double most = 0;
      for (var g : gradients) for (float x : g.floats()) most = Math.max(most, Math.abs(x));
      // dz is (both softmaxes − both targets)/2n; few enough that their sum adds little
      double allowed = 8 * EPSILON * SCALE / n;
      assertTrue(most <= allowed, "%s gives %.2e, expected at most %.2e".formatted(name, most, allowed));
    }
    assertEquals(0, device.live().blocks());
  }
}
