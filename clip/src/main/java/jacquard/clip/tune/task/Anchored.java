package jacquard.clip.tune.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Joined;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// A task whose parameters are held near where they began: + λ/2·Σ fᵢ·(θᵢ − θ₀ᵢ)². With f = 1 it is L2-SP (Li et al.
/// 2018),
/// with the Fisher information of old data EWC (Kirkpatrick et al. 2017).
///
/// @param start  θ₀ by path
/// @param fisher f by path; null for 1
public record Anchored(Task task, Map<String, Tensor> start, Map<String, Tensor> fisher, double weight)
    implements Task {
  public Anchored {
    if (!(weight >= 0)) throw new IllegalArgumentException("an anchor of weight " + weight + ", expected 0 or more");
  }

  @Override public String name() { return task.name() + (fisher == null ? ", l2-sp" : ", ewc"); }
  @Override public ClipModel model() { return task.model(); }
  @Override public Parameters parameters() { return task.parameters(); }
  @Override public List<Tensor> features(Batch part) { return task.features(part); }
  @Override public List<Tensor> targets(Batch part) { return task.targets(part); }
  @Override public SequencedMap<String, Tensor> heads() { return task.heads(); }
  @Override public void after() { task.after(); }
  @Override public Map<String, Double> report() { return task.report(); }
  @Override public Anchored of(ClipModel model) { return new Anchored(task.of(model), start, fisher, weight); }
  @Override public Map<String, Safetensors.Array> published(Map<String, Safetensors.Array> stored) {
    return task.published(stored);
  }

  @Override public void publish(Path folder) throws IOException { task.publish(folder); }
  @Override public Map<String, Safetensors.Array> stored() { return task.stored(); }
  @Override public void restore(Weights file, String prefix) throws IOException { task.restore(file, prefix); }

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    return task.losses(features, targets, groups);
  }

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
