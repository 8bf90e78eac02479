package jacquard.autograd.optimizer;

import jacquard.autograd.Optimizer.At;
import jacquard.autograd.Optimizer.Composed;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// p ← p − rate·decay·p − rate·sign(β₁m + (1−β₁)g), then m ← β₂m + (1−β₂)g (Chen et al. 2023). One moment; the rate is
/// a third to a tenth of AdamW's and the decay as much larger.
public record Lion(double beta1, double beta2) implements Composed {
  private static final float LARGE = 1e38f;

  @Override public SequencedMap<String, Shape> moments(Shape parameter) {
    var r = new LinkedHashMap<String, Shape>();
    r.put("m", parameter);
    return r;
  }

  @Override public void move(Tensor p, List<Tensor> moments, Tensor gradient, At at) {
    Tensor m = moments.getFirst(), g = gradient.mul(at.factor());
    var way = sign(m.mul((float) beta1).add(g.mul((float) (1 - beta1))));
    Composed.write(p, p.mul((float) (1 - at.rate() * at.decay())).add(way.mul((float) -at.rate())));
    Composed.blend(m, (float) (1 - beta2), 1, g);
  }

  /// −1, 0 or 1; twice, for numbers below 1e−38.
  private static Tensor sign(Tensor x) { return x.mul(LARGE).clamp(-1, 1).mul(LARGE).clamp(-1, 1); }
}
