package jacquard.clip.model.tower;

import jacquard.clip.nn.transformer.Cache;
import jacquard.clip.nn.transformer.DeepPrompts;
import jacquard.tensor.Tensor;
import java.util.List;

/// From captions to features.
public interface TextTower extends Tower {
  /// Features `[captions, embedding]`, not normalised, of padded token ids. What cannot reach them is not computed.
  Tensor features(int[][] captions);

  /// The same features and the rows that they were pooled of.
  Encoding tokens(int[][] captions);

  /// The same groups where a pooler with parameters does not belong to the last one, the head, but stands below it.
  default List<List<String>> poolerApart() { return groups(); }

  /// The context, and the tokenizer that makes its ids.
  TextInput input();

  /// What it takes as a prompt.
  ///
  /// @throws IllegalArgumentException if it takes none
  default PromptRoom promptRoom() {
    throw new IllegalArgumentException("prompts are learned for CLIP's own text tower, and this model has another");
  }

  /// The tower with a prompt: tokens below zero are rows of `context` `[rows, width]`, and `deep`, which may be null,
  /// replaces rows before the blocks.
  ///
  /// @throws IllegalArgumentException if it takes none
  default TextTower prompted(Tensor context, DeepPrompts deep) {
    throw new IllegalArgumentException("this text tower takes no prompts");
  }

  /// Whether a caption's feature depends on the picture that it is compared with.
  default boolean perPicture() { return false; }

  /// Cosines of normalised features of pictures with captions, `[pictures, captions]`.
  default Tensor cosines(Tensor pictures, int[][] captions) {
    return pictures.matmul(false, features(captions).normalize(), true);
  }

  /// How many blocks read a caption token by token, for a decoder that writes it; 0 for a tower that cannot.
  default int readable() { return 0; }

  /// The rows for a decoder of one more token of each caption, `[captions, width]`.
  ///
  /// @param place  of the token in its caption
  /// @param seen   which of them may be looked at, see [#seen]; null: all
  /// @param caches of [#readable] blocks
  default Tensor next(int[] ids, int place, boolean[] seen, List<Cache> caches) {
    throw new UnsupportedOperationException("reads no caption token by token");
  }

  /// Which of the next tokens may be looked at.
  ///
  /// @param before the tokens before them; null at the start
  default boolean[] seen(int[] before, int captions) { return null; }
}
