package jacquard.clip.text;

import jacquard.tensor.Random;
import java.util.List;

/// From captions to token ids. Safe for many threads.
public interface Tokenizer {
  /// Ids of a caption: cut to `context` with the end kept, padded to it.
  int[] tokenize(String text, int context);

  /// Ids of captions, `[texts, context]`.
  default int[][] tokenize(List<String> texts, int context) {
    return texts.stream().map(t -> tokenize(t, context)).toArray(int[][]::new);
  }

  /// Whether it leaves tokens out by chance, so that training asks for a caption's ids at every step.
  default boolean reduces() { return false; }

  /// The same ids, but what is cut may be chosen by a key: for training.
  default int[] tokenize(String text, int context, Random key) { return tokenize(text, context); }

  /// How many captions were cut so far.
  default long truncated() { return 0; }
}
