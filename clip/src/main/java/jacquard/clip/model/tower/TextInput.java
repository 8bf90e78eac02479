package jacquard.clip.model.tower;

import jacquard.clip.model.Presets;
import jacquard.clip.settings.Nearest;
import jacquard.clip.text.ClipTokenizer;
import jacquard.clip.text.Tokenizer;
import jacquard.clip.text.TokenizerFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;

/// What a text tower is fed.
///
/// @param context tokens a caption, pads included
/// @param tokenizer `clip` for CLIP's byte-pair encoding, else its name on the hub or among tiktoken's
/// @param options `tokenizer_kwargs`, as they were given
public record TextInput(int context, String tokenizer, Map<String, Object> options) {
  /// Whether captions become ids by CLIP's own tokenizer.
  public boolean clip() { return tokenizer.equals("clip"); }

  /// What was probably meant, where no model of the registry has this tokenizer.
  private String near() {
    var known = Presets.values("text_cfg", "hf_tokenizer_name");
    var question = known.contains(tokenizer) ? "" : Nearest.question(tokenizer, known);
    return question.isEmpty() ? "" : "." + question;
  }

  /// The tokenizer of the captions.
  ///
  /// @param folder with its files; null if there is none, which is enough for CLIP's own
  /// @throws IllegalArgumentException at an unknown option, or if its files are not there
  /// @throws UncheckedIOException naming the file, if one is damaged or of a kind that is not known
  public Tokenizer captions(Path folder) {
    if (clip()) return ClipTokenizer.of(options);
    if (folder == null || !TokenizerFiles.in(folder, tokenizer))
      throw new IllegalArgumentException("this model needs the tokenizer " + tokenizer
          + "; its files (tokenizer.json, or others that " + tokenizer + " has on the hub) are not "
          + (folder == null ? "known here" : "in " + folder) + ": put them beside the weights" + near());
    try { return TokenizerFiles.of(folder, tokenizer, options); } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
