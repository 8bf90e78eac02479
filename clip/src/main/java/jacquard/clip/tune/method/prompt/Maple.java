package jacquard.clip.tune.method.prompt;

import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.learned.Prompted;
import jacquard.clip.tune.method.Extended;
import jacquard.clip.tune.prompt.Linked;

/// MaPLe (Khattak et al. 2023): two vectors before each name and rows within both towers, those of the image tower
/// linear in those of the text tower.
public record Maple(Wording wording) implements Method {
  private static final int VECTORS = 2;

  @Override public boolean stays() { return true; }

  @Override public Task task(ClipModel model, Start start) {
    int depth = Wording.depth(model);
    var begun = wording.begin(model, start, VECTORS);
    var prompt = Linked.of(Wording.make(start), begun.vectors(), model.visual().promptRoom().width(), depth);
    return Extended.task(Extended.fixed(model), start, new Prompted(Prompted.MAPLE, prompt, begun.words()), true);
  }
}
