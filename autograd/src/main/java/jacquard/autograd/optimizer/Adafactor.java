package jacquard.autograd.optimizer;

import jacquard.autograd.Clipping;
import jacquard.autograd.Optimizer.At;
import jacquard.autograd.Optimizer.Composed;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// The gradient over the root of its second moment, which for a large matrix is the product of the means of its rows
/// and columns over the mean of all; β₂ = 1 − t^(−fall) (Shazeer and Stern 2018).
///
/// @param fall      0.8 as a rule
/// @param most      the largest β₂
/// @param least     a matrix is kept as rows and columns where both sides are at least this
/// @param threshold a step whose root mean square is larger is cut to it; 0: none is
/// @param momentum  of the steps; 0 for none
public record Adafactor(double fall, double most, int least, double threshold, double momentum)
    implements Composed {
  /// timm's `adafactor`: steps cut to a root mean square of 1.
  public static final Adafactor TIMM = new Adafactor(.8, 1, 17, 1, 0);
  private static final float TINY = 1e-30f;

  /// big_vision's, timm's `adafactorbv`: momentum, nothing cut.
  public static Adafactor bigVision(double momentum) { return new Adafactor(.8, .999, 16, 0, momentum); }

  private boolean factored(Shape s) { return s.rank() == 2 && Math.min(s.dim(0), s.dim(1)) >= least; }

  @Override public SequencedMap<String, Shape> moments(Shape parameter) {
    var r = new LinkedHashMap<String, Shape>();
    if (factored(parameter)) {
      r.put("rows", Shape.of(parameter.dim(0), 1));
      r.put("columns", Shape.of(1, parameter.dim(1)));
    } else r.put("v", parameter);
    if (momentum > 0) r.put("m", parameter);
    return r;
  }

  @Override public void move(Tensor p, List<Tensor> moments, Tensor gradient, At at) {
    var g = gradient.mul(at.factor());
    float share = (float) (1 - Math.min(most, 1 - StrictMath.pow(at.t(), -fall)));
    var squares = g.mul(g).add(TINY);
    Tensor u;
    if (factored(p.shape())) {
      Tensor rows = moments.get(0), columns = moments.get(1);
      int n = p.dim(0), k = p.dim(1);
      Composed.blend(rows, share, 1, squares.sumKeeping(1).mul(1f / k));
      Composed.blend(columns, share, 1, squares.sumKeeping(0).mul(1f / n));
      var mean = rows.sumKeeping(0).mul(1f / n);
      u = g.divide(rows.divide(mean).sqrt()).divide(columns.sqrt());
    } else {
      Composed.blend(moments.getFirst(), share, 1, squares);
      u = g.divide(moments.getFirst().sqrt());
    }
    if (threshold > 0) {
      double rms = Clipping.norm(List.of(u)) / Math.sqrt(p.shape().size());
      u = u.mul((float) (1 / Math.max(1, rms / threshold)));
    }
    if (momentum > 0) {
      Composed.blend(moments.getLast(), (float) (1 - momentum), 1, u);
      u = moments.getLast();
    }
    Composed.write(p, p.mul((float) (1 - at.rate() * at.decay())).add(u.mul((float) -at.rate())));
  }
}
