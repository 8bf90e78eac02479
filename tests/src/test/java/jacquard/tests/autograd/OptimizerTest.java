package jacquard.tests.autograd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.autograd.Clipping;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tests.Draw;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What an optimizer's step is, in plain words of double.
class OptimizerTest {
  public record Model(Tensor w) {}

  /// AdamW's ε is added to the root, not under it: p ← (1 − ηλ)·p − η·m̂/(√v̂ + ε), on all elements, those behind the
  /// last whole vector too. With ε = 0.1 the two differ by a tenth and more.
  @Test void epsilonStandsOutsideTheRoot() {
    double rate = 0.01, decay = 0.1, b1 = 0.9, b2 = 0.98, epsilon = 0.1;
    try (var _ = Scope.open(Device.best())) {
      for (int n : new int[] {1, 7, 16, 37}) {
        var model = new Model(Draw.uniform(1, Shape.of(n), -1, 1));
        var optimizer = new Optimizer(new Optimizer.AdamW(b1, b2, epsilon), Parameters.of(model), decay, _ -> true);
        float[] before = model.w.floats(), g1 = Draw.uniform(2, Shape.of(n), -1, 1).floats(), g2 =
            Draw.uniform(3, Shape.of(n), -1, 1).floats();
        for (float[] g : new float[][] {g1, g2}) optimizer.step(Map.of("w", Tensor.of(Shape.of(n), g)), rate, 1);
        for (int i = 0; i < n; i++) {
          double p = before[i], m = 0, v = 0;
          for (int t = 1; t <= 2; t++) {
            double g = t == 1 ? g1[i] : g2[i];
            m = b1 * m + (1 - b1) * g;
            v = b2 * v + (1 - b2) * g * g;
            p = p * (1 - rate * decay)
                - rate * (m / (1 - Math.pow(b1, t))) / (Math.sqrt(v / (1 - Math.pow(b2, t))) + epsilon);
          }
          assertEquals(p, model.w.floats()[i], 1e-6, "element " + i + " of " + n);
        }
      }
    }
  }

  /// A norm below the limit changes nothing.
  @Test void clippingNeverEnlarges() {
    assertEquals(1, Clipping.factor(0.5, 1));
    assertEquals(0.5, Clipping.factor(2, 1), 1e-6);
    assertEquals(1, Clipping.factor(2, 0));
  }
}
