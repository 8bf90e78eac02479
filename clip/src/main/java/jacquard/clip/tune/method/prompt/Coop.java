package jacquard.clip.tune.method.prompt;

import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.learned.Prompted;
import jacquard.clip.tune.method.Extended;
import jacquard.clip.tune.prompt.Captions;
import jacquard.clip.tune.prompt.Context;

/// CoOp (Zhou et al. 2022): vectors before each name, the same for all.
public record Coop(Wording wording) implements Method {
  @Override public boolean stays() { return true; }

  @Override public Task task(ClipModel model, Start start) {
    var begun = wording.begin(model, start, Integer.MAX_VALUE);
    var prompt = new Context(begun.vectors(), Captions.Position.END);
    return Extended.task(Extended.fixed(model), start, new Prompted(Prompted.COOP, prompt, begun.words()), true);
  }
}
