package jacquard.clip.tune.method;

import jacquard.clip.model.ClipModel;
import jacquard.clip.train.parameter.Locks;
import jacquard.clip.train.task.Match;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.task.Pairs;
import java.util.ArrayList;

/// Pictures and captions learn by the loss that CLIP was trained with: both towers (FLYP, Goyal et al. 2023), or with a
/// tower locked (LiT, Zhai et al. 2022).
public record OfPairs(Locks locks) implements Method {
  @Override public Task task(ClipModel model, Start start) {
    var fixed = model.fixedStatistics(model.visual().groups().size());
    var frozen = new ArrayList<>(locks.frozen(fixed));
    frozen.addAll(OfImages.others(fixed));
    return new Pairs(new Match(fixed, fixed.parameters().freeze(frozen.toArray(String[]::new)),
        model.logitBias() == null ? Match.Loss.SOFTMAX : Match.Loss.SIGMOID));
  }
}
