package jacquard.clip.tune.method;

import jacquard.clip.model.ClipModel;
import jacquard.clip.train.parameter.Locks;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.train.task.Nested;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.task.Pairs;
import java.util.ArrayList;
import java.util.List;

/// Pictures and captions learn by the loss that CLIP was trained with: both towers (FLYP, Goyal et al. 2023), or with a
/// tower locked (LiT, Zhai et al. 2022).
///
/// @param widths how many of a feature's first numbers are compared, beside or in place of all; none for all alone (see
///   [Nested])
public record OfPairs(Locks locks, List<Integer> widths) implements Method {
  @Override public Task task(ClipModel model, Start start) {
    var fixed = model.fixedStatistics(model.visual().groups().size());
    var frozen = new ArrayList<>(locks.frozen(fixed));
    frozen.addAll(OfImages.others(fixed));
    var pairs = new Pairs(new Contrastive(fixed, fixed.parameters().freeze(frozen.toArray(String[]::new)),
        model.logitBias() == null ? Contrastive.Loss.SOFTMAX : Contrastive.Loss.SIGMOID));
    return widths.isEmpty() ? pairs : new Nested(pairs, widths);
  }
}
