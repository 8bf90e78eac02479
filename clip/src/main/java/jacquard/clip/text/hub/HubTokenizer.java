package jacquard.clip.text.hub;

import jacquard.clip.text.Cleaning;
import jacquard.clip.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// A tokenizer of the hub, as OpenCLIP's HFTokenizer uses it: cleans a text, cuts it into tokens, cuts these to the
/// context, pads them.
///
/// Options, as in a config's `tokenizer_kwargs`: `clean` (whitespace by default), `strip_sep_token` (the mark of the
/// end becomes 0), `src_lang` (NLLB: the language's mark goes before), `tokenizer_mode` (`clips`: start and end of the
/// text, and the class token at the end of the row). `language` is taken and does nothing, as upstream.
public final class HubTokenizer implements Tokenizer {
  private static final List<String> KNOWN =
      List.of("clean", "strip_sep_token", "language", "src_lang", "tokenizer_mode");
  private final Pipeline pipeline;
  private final Cleaning cleaning;
  private final Cut cut;
  private final int stripped, last;

  private HubTokenizer(Pipeline pipeline, Cleaning cleaning, Cut cut, int stripped, int last) {
    this.pipeline = pipeline;
    this.cleaning = cleaning;
    this.cut = cut;
    this.stripped = stripped;
    this.last = last;
  }

  /// The tokenizer of a folder: `tokenizer.json`, or a SentencePiece model, `vocab.txt`, or `vocab.json` and
  /// `merges.txt`; beside it `tokenizer_config.json`.
  ///
  /// @throws IOException naming the file, if it cannot be read or names a kind that is not known
  /// @throws IllegalArgumentException at an unknown option, or one that this tokenizer cannot have
  public static HubTokenizer of(Path folder, Map<String, ?> kwargs) throws IOException {
    var options = new Options(kwargs).only("a tokenizer of the hub", KNOWN);
    var config = HubConfig.read(folder);
    var pipeline = config.completed(pipeline(folder, config));
    if (options.text("src_lang", null) instanceof String language)
      pipeline = pipeline.marked(new int[] {config.id(pipeline, "src_lang", language)}, pipeline.behind());
    int pad = config.id(pipeline, "pad_token"), last = -1;
    int stripped = options.is("strip_sep_token", false) ? config.id(pipeline, "sep_token") : -1;
    int[] before = pipeline.before(), behind = pipeline.behind();
    switch (options.text("tokenizer_mode", "")) {
      case "" -> { }
      case "clips" -> {
        before = new int[] {config.id(pipeline, "bos_token")};
        behind = new int[] {config.id(pipeline, "eos_token")};
        last = config.id(pipeline, "cls_token");
      }
      case String mode ->
          throw new IllegalArgumentException("tokenizer_mode is \"" + mode + "\", expected clips or none");
    }
    return new HubTokenizer(pipeline, Cleaning.named(options.text("clean", "whitespace")),
        new Cut(before, behind, pad, config.left("truncation_side"), config.left("padding_side")), stripped, last);
  }

  private static Pipeline pipeline(Path folder, HubConfig config) throws IOException {
    var json = folder.resolve("tokenizer.json");
    if (Files.exists(json)) return TokenizerJson.read(json);
    return OlderFiles.read(folder, config);
  }

  @Override public int[] unpadded(String text, int context) {
    if (last >= 0 && context < 3)
      throw new IllegalArgumentException("a context of " + context
          + " tokens, expected at least 3 for the marks of clips");
    int[] r = cut.row(encode(text), last < 0 ? context : context - 1);
    for (int i = 0; i < r.length; i++) if (r[i] == stripped) r[i] = 0;
    return last < 0 ? r : Pipeline.joined(r, new int[] {last});
  }

  @Override public int[] tokenize(String text, int context) {
    int[] r = unpadded(text, context);
    if (last < 0) return cut.padded(r, context);
    r = cut.padded(java.util.Arrays.copyOf(r, r.length - 1), context);
    r[context - 1] = last;
    return r;
  }

  @Override public long truncated() { return cut.count().get(); }

  /// Ids of a text as it is, not cleaned: what the `tokenizers` library gives without special tokens.
  public int[] raw(String text) { return pipeline.encode(text); }

  @Override public int[] encode(String text) { return pipeline.encode(cleaning.of(text)); }

  @Override public String decode(int[] tokens) { return pipeline.decode(tokens); }

  @Override public int pad() { return cut.pad(); }

  @Override public int vocabulary() { return pipeline.size(); }
}
