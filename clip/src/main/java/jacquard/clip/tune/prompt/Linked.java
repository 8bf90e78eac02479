package jacquard.clip.tune.prompt;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.DeepPrompts;
import jacquard.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/// MaPLe (Khattak et al. 2023): the first words of the caption are learned, and rows in their place before further text
/// blocks; the image tower's rows are linear in those of the text tower.
///
/// @param vectors     `[vectors, text width]`
/// @param project     to the image tower's width
/// @param deep        before text block 1, 2, …
/// @param projections of each of them
public record Linked(@Named("ctx") Tensor vectors, @Named("proj") Linear project,
    @Named("compound_prompts_text") List<Tensor> deep,
    @Named("compound_prompt_projections") List<Linear> projections) implements Prompt {
  private static final double DEVIATION = 0.02;

  /// @param vectors what the caption begins with, `[vectors, text width]`
  /// @param depth   how many blocks take rows, the first among them
  public static Linked of(Init.Maker make, Tensor vectors, int imageWidth, int depth) {
    int m = vectors.dim(0), w = vectors.dim(1);
    var fan = Init.fanIn(w);
    return new Linked(vectors, Linear.of(make, w, imageWidth, fan, fan),
        IntStream.range(1, depth).mapToObj(_ -> make.make(new Init.Normal(DEVIATION), m, w)).toList(),
        IntStream.range(1, depth).mapToObj(_ -> Linear.of(make, w, imageWidth, fan, fan)).toList());
  }

  @Override public TextTower text(TextTower base) { return base.prompted(vectors, new DeepPrompts(deep, 1)); }

  @Override public ImageTower image(ImageTower base) { return unlinked().image(base); }

  @Override public Logits logits(ClipModel base, ImageBatch images, Captions names) {
    return unlinked().logits(base, images, names);
  }

  private Independent unlinked() {
    return new Independent(vectors, deep, project.apply(vectors), IntStream.range(0, deep.size())
        .mapToObj(i -> projections.get(i).apply(deep.get(i))).toList());
  }
}
