package jacquard.autograd.optimizer;

import jacquard.autograd.Clipping;
import jacquard.autograd.Optimizer.At;
import jacquard.autograd.Optimizer.Composed;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// Adam's step u, plus decay·p, made as long as the parameter: p ← p − rate·(‖p‖/‖u‖)·u (You et al. 2020, in timm's
/// form). What does not decay moves by rate·u. All gradients together are first cut to a norm.
///
/// @param limit that norm; 0 for none
/// @param most  the largest ‖p‖/‖u‖ that counts
/// @param all   whether steps of what does not decay are made as long as the parameter too
public record Lamb(double beta1, double beta2, double epsilon, double limit, double most, boolean all)
    implements Composed {
  /// timm's: a norm of 1, and steps of any length.
  public Lamb(double beta1, double beta2, double epsilon) {
    this(beta1, beta2, epsilon, 1, Double.POSITIVE_INFINITY, false);
  }

  @Override public SequencedMap<String, Shape> moments(Shape parameter) {
    var r = new LinkedHashMap<String, Shape>();
    r.put("m", parameter);
    r.put("v", parameter);
    return r;
  }

  @Override public void move(Tensor p, List<Tensor> moments, Tensor gradient, At at) {
    Tensor m = moments.get(0), v = moments.get(1), g = gradient.mul(at.factor());
    Composed.blend(m, (float) (1 - beta1), 1, g);
    Composed.blend(v, (float) (1 - beta2), 1, g.mul(g));
    float root = (float) (1 / StrictMath.sqrt(1 - StrictMath.pow(beta2, at.t())));
    var u = m.mul((float) (1 / (1 - StrictMath.pow(beta1, at.t())))).divide(v.sqrt().affine(root, (float) epsilon));
    double trust = 1;
    if (at.decay() != 0) u = u.add(p.mul((float) at.decay()));
    if (at.decay() != 0 || all) {
      double own = Clipping.norm(List.of(p)), step = Clipping.norm(List.of(u));
      if (own > 0 && step > 0) trust = Math.min(most, own / step);
    }
    Composed.write(p, p.add(u.mul((float) (-at.rate() * trust))));
  }
}
