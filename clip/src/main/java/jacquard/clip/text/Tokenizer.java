package jacquard.clip.text;

import jacquard.tensor.Random;
import java.util.List;

/// Text to token ids, as a model's text tower wants them, and back. Safe for many threads.
public interface Tokenizer {
  /// Ids of a text with its marks of start and end, cut and padded to `context`.
  ///
  /// @throws IllegalArgumentException if the context has no room for the marks
  int[] tokenize(String text, int context);

  /// The same without padding, for captions of different length.
  int[] unpadded(String text, int context);

  /// Ids of texts, `[texts, context]`.
  default int[][] tokenize(List<String> texts, int context) {
    return texts.stream().map(t -> tokenize(t, context)).toArray(int[][]::new);
  }

  /// The same as [#tokenize(String, int)], but what is cut may be chosen by chance, from a key: for training.
  default int[] tokenize(String text, int context, Random key) { return tokenize(text, context); }

  /// Whether it leaves tokens out by chance, so that training asks for a caption's ids at every step.
  default boolean reduces() { return false; }

  /// How many texts were cut so far.
  long truncated();

  /// Ids of the text alone, without marks, cut or padding.
  int[] encode(String text);

  /// Text of ids.
  ///
  /// @throws IllegalArgumentException at an id that the vocabulary has not
  String decode(int[] tokens);

  /// The id that fills a text up.
  int pad();

  /// How many ids there are, from 0.
  int vocabulary();
}
