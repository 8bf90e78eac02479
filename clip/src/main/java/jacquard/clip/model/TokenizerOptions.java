package jacquard.clip.model;

import jacquard.clip.model.tower.TextInput;
import java.util.Map;
import java.util.Optional;

/// Which tokenizer makes a text tower's ids: the keys that all of them share.
public record TokenizerOptions(Optional<String> tokenizerType, Optional<String> hfTokenizerName,
    Optional<String> tiktokenName,
    Map<String, Object> tokenizerKwargs) {
  public static final TokenizerOptions DEFAULTS = new TokenizerOptions(Optional.empty(), Optional.empty(),
      Optional.empty(), Map.of());

  /// @param otherwise the tokenizer where none is named
  public TextInput input(int context, String otherwise) {
    return new TextInput(context, hfTokenizerName.or(() -> tiktokenName).or(() -> tokenizerType).orElse(otherwise),
        tokenizerKwargs);
  }
}
