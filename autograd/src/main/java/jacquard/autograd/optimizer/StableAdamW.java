package jacquard.autograd.optimizer;

import jacquard.autograd.Clipping;
import jacquard.autograd.Optimizer.At;
import jacquard.autograd.Optimizer.Composed;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// AdamW whose rate for a tensor is divided by max(1, RMS), RMS² = mean(g²/max(v̂, ε²)), v̂ the second moment with this
/// step's gradient in it: where that lags behind the gradients, the step is smaller (Wortsman et al. 2023).
public record StableAdamW(double beta1, double beta2, double epsilon) implements Composed {
  @Override public SequencedMap<String, Shape> moments(Shape parameter) {
    var r = new LinkedHashMap<String, Shape>();
    r.put("m", parameter);
    r.put("v", parameter);
    return r;
  }

  @Override public void move(Tensor p, List<Tensor> moments, Tensor gradient, At at) {
    var g = gradient.mul(at.factor());
    double corrected = 1 - StrictMath.pow(beta2, at.t());
    var v = moments.get(1).mul((float) (beta2 / corrected)).add(g.mul(g).mul((float) ((1 - beta2) / corrected)));
    var ratio = g.divide(v.clamp((float) (epsilon * epsilon), Float.MAX_VALUE).sqrt());
    double rms = Clipping.norm(List.of(ratio)) / Math.sqrt(p.shape().size());
    double rate = at.rate() / Math.max(1, rms);
    Tensor.applyAll(new Update.AdamW(rate, beta1, beta2, epsilon, at.decay(), at.t(), at.factor()),
        List.of(p, moments.get(0), moments.get(1), gradient));
  }
}
