package jacquard.clip.model.tower;

import jacquard.clip.text.ClipTokenizer;
import jacquard.clip.text.Tokenizer;
import java.util.Map;

/// What a text tower is fed.
///
/// @param context tokens a caption, pads included
/// @param tokenizer `clip` for CLIP's byte-pair encoding, else its name on the hub or among tiktoken's
/// @param options `tokenizer_kwargs`, as they were given
public record TextInput(int context, String tokenizer, Map<String, Object> options) {
  /// Whether captions become ids by CLIP's own tokenizer.
  public boolean clip() { return tokenizer.equals("clip"); }

  /// The tokenizer of the captions.
  ///
  /// @throws IllegalArgumentException if it is not built yet, or at an unknown option
  public Tokenizer captions() {
    if (!clip()) throw new IllegalArgumentException("this model needs the tokenizer " + tokenizer + ", which is not built yet");
    return ClipTokenizer.of(options);
  }
}
