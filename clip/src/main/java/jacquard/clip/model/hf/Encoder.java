package jacquard.clip.model.hf;

import jacquard.tensor.Tensor;
import java.util.List;

/// A model of the transformers library without a head: from tokens to the rows of its last layer.
public interface Encoder {
  /// All rows, or of the last layer those asked for (null: all). `[rows, width]`
  Tensor apply(CaptionRows captions, int[] wanted);

  /// The id that is no token.
  int pad();

  /// Channels of a row.
  int width();

  /// Globs of its parameters from input to output, a list a group: embeddings, a group a layer, what follows them.
  List<List<String>> groups();

  /// Whether the last group is a pooler.
  default boolean pools() { return false; }

  /// Globs of tables of positions.
  default List<String> undecayed() { return List.of(); }

  /// The view of a caption that the model's own pooler has of its first row.
  default Tensor pooled(Tensor first) { return first; }
}
