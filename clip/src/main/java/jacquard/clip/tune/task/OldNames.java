package jacquard.clip.tune.task;

import jacquard.clip.data.Batch;
import jacquard.clip.loss.SoftmaxLoss;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.train.task.Around;
import jacquard.clip.train.task.Joined;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Pass;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/// Learning without forgetting (Li and Hoiem 2016): beside its own loss a task keeps what the model said before of the
/// pictures at hand, over old names.
///
/// @param task    whose first features are the pictures', normalised
/// @param before  the model as it was
/// @param bank    features of the old names, `[names, embedding]`
public record OldNames(Task task, ClipModel before, Tensor bank, double weight, double temperature) implements Around {
  public OldNames {
    if (!(weight >= 0)) throw new IllegalArgumentException("the weight of the old names is " + weight
        + ", expected 0 or more");
    if (!(temperature > 0)) throw new IllegalArgumentException("a temperature of " + temperature
        + ", expected more than 0");
  }

  @Override public String name() { return task.name() + ", old names"; }
  @Override public OldNames of(ClipModel model) { return new OldNames(task.of(model), before, bank, weight,
      temperature); }

  /// The task's, then the old model's logits over the old names.
  @Override public List<Tensor> targets(Batch part) {
    var r = new ArrayList<>(task.targets(part));
    r.add(Pass.current().inference().call(() -> logits(before.embedImages(
        ImageBatch.of(part.pictures().rows(), part.count(), part.pictures().grid())))));
    return r;
  }

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    int last = targets.own().size() - 1;
    var r = task.losses(features, targets.part(0, last), groups);
    var loss = SoftmaxLoss.distilled(logits(features.own().getFirst()), targets.own().get(last), (float) temperature);
    r.put("old_names_loss", features.mean(loss).mul((float) weight));
    return r;
  }

  /// Of normalised features, over the old names.
  Tensor logits(Tensor x) { return x.matmul(false, bank, true).mul(before.scale()); }
}
