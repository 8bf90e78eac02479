package jacquard.clip.tune.task;

import jacquard.clip.loss.SoftmaxLoss;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Around;
import jacquard.clip.train.task.Joined;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Tensor;
import java.util.SequencedMap;

/// The distillation of ZSCL (Zheng et al. 2023): beside what [OldNames] keeps, which name each picture has, also which
/// of the pictures at hand each old name has.
///
/// @param names that are kept for each picture
public record BothWays(OldNames names) implements Around {
  @Override public Task task() { return names; }
  @Override public String name() { return names.name() + ", both ways"; }
  @Override public BothWays of(ClipModel model) { return new BothWays(names.of(model)); }

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    var r = names.losses(features, targets, groups);
    int last = targets.own().size() - 1;
    // each rank has its own pictures, and compares these
    var loss = SoftmaxLoss.distilled(names.logits(features.own().getFirst()).permute(1, 0),
        targets.own().get(last).permute(1, 0), (float) names.temperature());
    r.put("old_pictures_loss", features.mean(loss).mul((float) names.weight()));
    return r;
  }
}
