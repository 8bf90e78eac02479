package jacquard.clip.tune.method;

import jacquard.autograd.Parameters;
import jacquard.clip.model.ClipModel;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.learned.Known;
import jacquard.clip.tune.learned.Learned;
import jacquard.clip.tune.task.Beside;
import jacquard.clip.tune.task.Classify;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/// How what is learned beside a model learns to tell the new names apart.
public final class Extended {
  private Extended() {}

  /// @param model    whose statistics stay
  /// @param texts    whether it changes the names' texts, which are then made anew at each step
  /// @param tuned    paths of the model's own that are trained too
  public static Beside task(ClipModel model, Start start, Learned learned, boolean texts, Predicate<String> tuned) {
    var onto = learned.onto(model, 1);
    Set<Tensor> own = Collections.newSetFromMap(new IdentityHashMap<>());
    own.addAll(Parameters.of(learned.tensors()).all().values());
    var all = onto.parameters();
    var trained = all.trained();
    var frozen = all.all().entrySet().stream().filter(e -> !own.contains(e.getValue())
        && !(trained.containsKey(e.getKey()) && tuned.test(e.getKey()))).map(e -> e.getKey()).toArray(String[]::new);
    var classes = start.classes();
    var task = new Classify(onto, all.freeze(frozen), classes, start.bank(texts ? model : onto, classes.names()),
        texts ? start.captions(fresh(start)) : null);
    return new Beside(task, learned, model);
  }

  public static Beside task(ClipModel model, Start start, Learned learned, boolean texts) {
    return task(model, start, learned, texts, _ -> false);
  }

  /// The model with all of its statistics fixed.
  public static ClipModel fixed(ClipModel model) { return model.fixedStatistics(model.visual().groups().size()); }

  /// The new names, in the order of their numbers.
  public static List<String> fresh(Start start) {
    var c = start.classes();
    return c.names().subList(0, c.fresh());
  }

  /// The new names by all captions that are made of them, the name alone among them.
  static Known known(Start start) {
    var all = new ArrayList<int[][]>();
    int context = start.config().text().input().context();
    for (var name : fresh(start)) {
      var texts = new ArrayList<>(List.of(name));
      texts.addAll(start.templates().of(name));
      all.add(start.tokenizer().tokenize(texts.stream().distinct().toList(), context));
    }
    return new Known(all);
  }
}
