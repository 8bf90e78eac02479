package jacquard.clip.tune;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.data.source.Source;
import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Templates;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.text.Tokenizer;
import jacquard.clip.tune.task.Classes;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.util.List;

/// What an adaptation begins from.
///
/// @param fresh     the pairs that are learned
/// @param old       pairs that were known; null for none
/// @param replayed  those that are learned again beside the new ones: the old ones, or null
/// @param guard     what must stay known; its names are the old names
/// @param templates sentences around names
/// @param epochs    how long it takes
public record Start(ModelFiles files, Transform transform, Tokenizer tokenizer, Source fresh, Source old,
    Source replayed, Source guard, Templates templates, long seed, Epochs epochs) {
  /// @param steps in all
  /// @param each  steps an epoch; the last may be shorter
  public record Epochs(long steps, long each) {
    public int count() { return Math.toIntExact((steps + each - 1) / each); }
  }

  public ClipConfig config() { return files.config().model(); }

  /// The model as it is before, in tensors of its own.
  public ClipModel model() throws IOException { return Checkpoint.load(config(), files.weights()); }

  public Classes classes() { return Classes.of(fresh, replayed); }

  /// Features of names as the model has them now, `[names, embedding]`.
  public Tensor bank(ClipModel model, List<String> names) {
    float[][] f = new Embedder(model, transform, 256, () -> tokenizer).labels(names, templates, Advance.UNHEARD);
    int e = f[0].length;
    float[] all = new float[f.length * e];
    for (int i = 0; i < f.length; i++) System.arraycopy(f[i], 0, all, i * e, e);
    return Tensor.of(Shape.of(f.length, e), all);
  }

  /// Tokens of names in the first template.
  public int[][] captions(List<String> names) {
    return tokenizer.tokenize(names.stream().map(n -> templates.of(n).getFirst()).toList(),
        config().text().input().context());
  }
}
