package jacquard.clip.tune.method.prompt;

import jacquard.clip.model.ClipModel;
import jacquard.clip.nn.Init;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.learned.Prompted;
import jacquard.clip.tune.method.Extended;
import jacquard.clip.tune.prompt.Independent;
import jacquard.clip.tune.task.Consistent;
import jacquard.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/// PromptSRC (Khattak et al. 2023): vectors before each name and rows within both towers, which stay near what the
/// model says without them; see [Consistent].
public record PromptSrc(Wording wording) implements Method {
  private static final double DEVIATION = 0.02;
  private static final int VECTORS = 4;

  @Override public boolean stays() { return true; }

  @Override public Task task(ClipModel model, Start start) {
    int depth = Wording.depth(model), image = model.visual().promptRoom().width(),
        text = model.text().promptRoom().width();
    var begun = wording.begin(model, start, VECTORS);
    var make = Wording.make(start);
    var prompt = new Independent(begun.vectors(), rows(make, begun.vectors().dim(0), text, depth - 1),
        make.make(new Init.Normal(DEVIATION), VECTORS, image), rows(make, VECTORS, image, depth - 1));
    var fixed = Extended.fixed(model);
    var task = Extended.task(fixed, start, new Prompted(Prompted.PROMPTSRC, prompt, begun.words()), true);
    var names = Extended.fresh(start);
    return Consistent.of(task, start.bank(fixed, names), start.captions(names), start.epochs());
  }

  private static List<Tensor> rows(Init.Maker make, int count, int width, int blocks) {
    return IntStream.range(0, blocks).mapToObj(_ -> make.make(new Init.Normal(DEVIATION), count, width)).toList();
  }
}
