package jacquard.clip.tune.task;

import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Tensor;
import java.util.Map;

/// A task whose parameters are held near where they began: + λ/2·Σ fᵢ·(θᵢ − θ₀ᵢ)². With f = 1 it is L2-SP (Li et al.
/// 2018),
/// with the Fisher information of old data EWC (Kirkpatrick et al. 2017).
///
/// @param start  θ₀ by path
/// @param fisher f by path; null for 1
public record Anchored(Task task, Map<String, Tensor> start, Map<String, Tensor> fisher, double weight)
    implements Around {
  public Anchored {
    if (!(weight >= 0)) throw new IllegalArgumentException("an anchor of weight " + weight + ", expected 0 or more");
  }

  @Override public String name() { return task.name() + (fisher == null ? ", l2-sp" : ", ewc"); }
  @Override public Anchored of(ClipModel model) { return new Anchored(task.of(model), start, fisher, weight); }

  @Override public Tensor penalty() {
    var sum = task.penalty();
    for (var e : parameters().trained().entrySet()) {
      var d = e.getValue().subtract(start.get(e.getKey()));
      var square = d.mul(d);
      var term = (fisher == null ? square : square.mul(fisher.get(e.getKey()))).sum().mul((float) (weight / 2));
      sum = sum == null ? term : sum.add(term);
    }
    return sum;
  }
}
