package jacquard.autograd.optimizer;

import jacquard.autograd.Clipping;
import jacquard.autograd.Optimizer.At;
import jacquard.autograd.Optimizer.Composed;
import jacquard.autograd.Optimizer.Rule;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Predicate;

/// The momentum of a matrix, all its singular values brought near 1 by five Newton-Schulz steps, times
/// 0.2·√(larger side) (Jordan et al. 2024; Liu et al. 2025, in timm's form). Kernels of convolutions are matrices of a
/// row an output. Vectors, thin matrices and what is excluded go by another rule.
///
/// @param nesterov whether the step looks ahead along the momentum
/// @param others   the rule of what is no such matrix
/// @param excluded paths that go by it too
public record Muon(double momentum, boolean nesterov, Rule others, Predicate<String> excluded) implements Composed {
  private static final int SHORTEST = 4, THINNEST = 128;
  private static final double LEAST_NORM = 1e-7;
  /// X ← aX + (bA + cA²)X, A = XXᵀ: five steps whose polynomials were fitted together (Cesista 2024).
  private static final float[][] STEPS = {{4.0848f, -6.8946f, 2.9270f}, {3.9505f, -6.3029f, 2.6377f},
      {3.7418f, -5.5913f, 2.3037f}, {2.8769f, -3.1427f, 1.2046f}, {2.8366f, -3.0525f, 1.2012f}};

  @Override public SequencedMap<String, Shape> moments(Shape parameter) {
    var r = new LinkedHashMap<String, Shape>();
    r.put("momentum", parameter);
    return r;
  }

  @Override public Rule of(String path, Shape shape) {
    return excluded.test(path) || !fits(shape) ? others : this;
  }

  /// Whether it is a matrix once what follows the first axis is one.
  static boolean fits(Shape s) {
    if (s.rank() < 2 || s.dim(0) == 1 || s.dim(s.rank() - 1) == 1) return false;
    long rows = s.dim(0), columns = s.size() / rows;
    return Math.min(rows, columns) >= SHORTEST
        && Math.max(rows, columns) <= (double) THINNEST * Math.min(rows, columns);
  }

  @Override public void move(Tensor p, List<Tensor> moments, Tensor gradient, At at) {
    Tensor m = moments.getFirst(), g = gradient.mul(at.factor());
    Composed.blend(m, (float) (1 - momentum), 1, g);
    var u = nesterov ? g.mul((float) (1 - momentum)).add(m.mul((float) momentum)) : m;
    int rows = p.dim(0), columns = Math.toIntExact(p.shape().size() / rows);
    var flat = orthogonal(u.reshape(rows, columns));
    float scale = (float) (-at.rate() * .2 * Math.sqrt(Math.max(rows, columns)));
    Composed.write(p, p.mul((float) (1 - at.rate() * at.decay())).add(flat.reshape(p.shape()).mul(scale)));
  }

  private static Tensor orthogonal(Tensor matrix) {
    boolean tall = matrix.dim(0) > matrix.dim(1);
    var x = tall ? matrix.permute(1, 0).dense() : matrix;
    x = x.mul((float) (1 / Math.max(LEAST_NORM, Clipping.norm(List.of(x)))));
    for (float[] s : STEPS) {
      var a = x.matmul(false, x, true);
      x = x.mul(s[0]).add(a.mul(s[1]).add(a.matmul(a).mul(s[2])).matmul(x));
    }
    return tall ? x.permute(1, 0).dense() : x;
  }
}
