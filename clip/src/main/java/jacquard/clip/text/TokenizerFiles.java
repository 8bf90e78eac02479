package jacquard.clip.text;

import jacquard.clip.text.hub.HubTokenizer;
import jacquard.clip.text.hub.Tiktoken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// The tokenizer that a text tower's config names, from the files of a folder.
public final class TokenizerFiles {
  /// What a tokenizer of the hub may consist of, to fetch as far as a repository has it. Where `tokenizer.json` is
  /// there, the vocabularies behind the first three are not needed.
  public static final List<String> NAMES = List.of("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
      "spiece.model", "sentencepiece.bpe.model", "tokenizer.model",
      "vocab.txt", "vocab.json", "merges.txt");

  private TokenizerFiles() {}

  /// Whether a name is an encoding of tiktoken, and no repository.
  public static boolean builtByName(String name) { return Tiktoken.has(name); }

  /// The files of a tokenizer in a folder; none of CLIP's own.
  public static List<Path> files(Path folder, String name) {
    if (name.equals("clip")) return List.of();
    var names = Tiktoken.has(name) ? List.of(name + ".tiktoken", name + ".tiktoken.gz") : NAMES;
    return names.stream().map(folder::resolve).filter(Files::isRegularFile).toList();
  }

  /// Whether a folder holds files of the tokenizer.
  public static boolean in(Path folder, String name) {
    if (name.equals("clip")) return true;
    if (Tiktoken.has(name))
      return Files.exists(folder.resolve(name + ".tiktoken")) || Files.exists(folder.resolve(name + ".tiktoken.gz"));
    return NAMES.stream().filter(n -> !n.endsWith("_config.json") && !n.endsWith("_map.json"))
        .anyMatch(n -> Files.exists(folder.resolve(n)));
  }

  /// @param folder with the files; not looked into for `clip`, whose vocabulary is built in
  /// @param name `clip`, an encoding of tiktoken (`r50k_base`, `cl100k_base`, …), or any other: a tokenizer of the hub
  /// @param options `tokenizer_kwargs`
  /// @throws IOException naming the file, if it is missing, cannot be read or names a kind that is not known
  /// @throws IllegalArgumentException at an unknown option or value
  public static Tokenizer of(Path folder, String name, Map<String, ?> options) throws IOException {
    if (name.equals("clip")) return ClipTokenizer.of(options);
    return Tiktoken.has(name) ? Tiktoken.of(folder, name, options) : HubTokenizer.of(folder, options);
  }
}
