package jacquard.clip.tune.method;

import jacquard.clip.model.ClipModel;
import jacquard.clip.train.parameter.Locks;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.task.Classify;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// The image tower, or its last groups, learns against the names' texts, which stay as they are. So do the statistics
/// of batch norms and the scale.
///
/// @param groups how many groups of the tower are trained, from its output on; 0 for all
public record OfImages(int groups) implements Method {
  public OfImages {
    if (groups < 0) throw new IllegalArgumentException(groups + " groups, expected 0 (all) or more");
  }

  @Override public Task task(ClipModel model, Start start) {
    int all = model.visual().groups().size();
    var fixed = model.fixedStatistics(all);
    var locks = new Locks(OptionalInt.of(groups == 0 ? all : groups), OptionalInt.of(0), false);
    var frozen = new ArrayList<>(locks.frozen(fixed));
    frozen.addAll(others(fixed));
    var classes = start.classes();
    return new Classify(fixed, fixed.parameters().freeze(frozen.toArray(String[]::new)), classes,
        start.bank(model, classes.names()), null);
  }

  /// Paths outside of the towers.
  static List<String> others(ClipModel model) {
    return model.parameters().all().keySet().stream().filter(p -> !p.startsWith("visual.") && !p.startsWith("text."))
        .toList();
  }
}
