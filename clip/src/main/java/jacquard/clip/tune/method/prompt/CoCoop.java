package jacquard.clip.tune.method.prompt;

import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.learned.Conditioned;
import jacquard.clip.tune.method.Extended;
import jacquard.clip.tune.prompt.Conditional;

/// CoCoOp (Zhou et al. 2022): vectors before each name, which each picture moves.
public record CoCoop(Wording wording) implements Method {
  @Override public boolean stays() { return true; }

  @Override public Task task(ClipModel model, Start start) {
    var begun = wording.begin(model, start, Integer.MAX_VALUE);
    var net = Conditional.Net.of(Wording.make(start), start.config().embedding(), begun.vectors().dim(1));
    return Extended.task(Extended.fixed(model), start, new Conditioned(new Conditional(begun.vectors(), net),
        begun.words()), true);
  }
}
