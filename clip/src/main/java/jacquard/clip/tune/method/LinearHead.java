package jacquard.clip.tune.method;

import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.learned.NameVectors;

/// A linear classifier on the features of a model that stays: each name's vector, which begins as the feature of its
/// text, so that it is a zero-shot classifier before and after (Wortsman et al. 2022).
public record LinearHead() implements Method {
  @Override public boolean stays() { return true; }

  @Override public Task task(ClipModel model, Start start) {
    var fixed = Extended.fixed(model);
    return Extended.task(fixed, start, vectors(fixed, start), true);
  }

  static NameVectors vectors(ClipModel model, Start start) {
    return new NameVectors(new NameVectors.Vectors(start.bank(model, Extended.fresh(start))), Extended.known(start));
  }
}
