package jacquard.clip.train.parameter;

import jacquard.clip.train.task.Task;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// Which layer of a model a parameter belongs to: the groups of its towers, from input to output, as [Locks] and
/// [Rates] count them with the pooler in the head: `visual.0`, `text.3`.
public final class Layers {
  private Layers() {}

  /// Path → layer, of what is trained and lies in a tower.
  public static SequencedMap<String, String> of(Task task) {
    var r = new LinkedHashMap<String, String>();
    var trained = task.parameters().trained().keySet();
    task.model().groups().forEach((tower, groups) -> {
      for (int i = 0; i < groups.size(); i++) {
        var others = task.model().parameters().freeze(groups.get(i).toArray(String[]::new)).trained().keySet();
        var name = tower + "." + i;
        task.model().parameters().all().keySet().stream().filter(p -> trained.contains(p) && !others.contains(p))
            .forEach(p -> r.put(p, name));
      }
    });
    return r;
  }
}
