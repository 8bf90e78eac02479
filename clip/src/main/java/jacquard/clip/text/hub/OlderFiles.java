package jacquard.clip.text.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jacquard.clip.settings.FirstBytes;
import jacquard.clip.text.sentence.SentencePieceFile.Type;
import jacquard.clip.text.sentence.SentencePieceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;

/// Folders without `tokenizer.json`: a SentencePiece model, `vocab.txt`, or `vocab.json` and `merges.txt`. They become
/// what Python's transformers make of them, by the class in `tokenizer_config.json`: the same description as a
/// `tokenizer.json`, in memory.
final class OlderFiles {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final List<String> MODELS = List.of("spiece.model", "sentencepiece.bpe.model", "tokenizer.model");
  private static final String KNOWN =
      "BertTokenizer, GPT2Tokenizer, GemmaTokenizer, RobertaTokenizer, T5Tokenizer and XLMRobertaTokenizer";

  private final HubConfig config;
  private final ObjectNode root = JSON.objectNode(), model = root.putObject("model");
  private final ArrayNode added = root.putArray("added_tokens");

  private OlderFiles(HubConfig config) { this.config = config; }

  static Pipeline read(Path folder, HubConfig config) throws IOException {
    for (var name : MODELS)
      if (Files.exists(folder.resolve(name))) return new OlderFiles(config).sentencePiece(folder.resolve(name));
    if (Files.exists(folder.resolve("vocab.txt"))) return new OlderFiles(config).bert(folder.resolve("vocab.txt"));
    if (Files.exists(folder.resolve("vocab.json")) && Files.exists(folder.resolve("merges.txt")))
      return new OlderFiles(config).bytePairs(folder.resolve("vocab.json"), folder.resolve("merges.txt"));
    throw new IOException(folder + " holds no tokenizer: expected tokenizer.json, " + String.join(", ", MODELS)
        + ", vocab.txt, or vocab.json and merges.txt");
  }

  private IOException unknown(Path file) {
    return new IOException(file + " is of the class \"" + config.kind()
        + "\" (tokenizer_class), which needs a tokenizer.json; known without one are " + KNOWN);
  }

  private Pipeline sentencePiece(Path path) throws IOException {
    var file = SentencePieceFile.read(path);
    switch (config.kind()) {
      case "T5Tokenizer", "XLMRobertaTokenizer" -> unigrams(path, file, config.kind().startsWith("XLM"));
      case "GemmaTokenizer" -> gemma(path, file);
      default -> throw unknown(path);
    }
    return TokenizerJson.read(path, root);
  }

  /// @param fairseq ids are those of fairseq: four marks, the pieces behind the file's own three, and the mask
  private void unigrams(Path path, SentencePieceFile file, boolean fairseq) throws IOException {
    if (file.kind() != SentencePieceFile.Kind.UNIGRAM)
      throw new IOException(path + " is no unigram model, which " + config.kind() + " needs");
    var vocabulary = model.put("type", "Unigram").putArray("vocab");
    if (fairseq) for (var mark : List.of("<s>", "<pad>", "</s>", "<unk>")) piece(vocabulary, mark, 0);
    for (int i = fairseq ? 3 : 0; i < file.pieces().size(); i++)
      piece(vocabulary, file.pieces().get(i).text(), file.pieces().get(i).score());
    int more = fairseq ? 0 : Math.clamp(config.number("extra_ids", 100), 0, 10_000);
    for (int i = more - 1; i >= 0; i--) {
      mark("<extra_id_" + i + ">", vocabulary.size());
      piece(vocabulary, "<extra_id_" + i + ">", 0);
    }
    if (fairseq) piece(vocabulary, "<mask>", 0);
    var ids = new HashMap<String, Integer>();
    for (int i = 0; i < vocabulary.size(); i++) ids.put(vocabulary.get(i).get(0).textValue(), i);
    model.put("unk_id", fairseq ? 3 : unknown(path, file));
    marks(ids);
    if (file.map().length > 0)
      root.putObject("normalizer").put("type", "Precompiled")
          .put("precompiled_charsmap", Base64.getEncoder().encodeToString(file.map()));
    var steps = root.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
    steps.addObject().put("type", "WhitespaceSplit");
    steps.addObject().put("type", "Metaspace");
    root.putObject("decoder").put("type", "Metaspace");
    template(fairseq ? List.of("<s>") : List.of(), List.of("</s>"), ids, path);
  }

  private static int unknown(Path path, SentencePieceFile file) throws IOException {
    for (int i = 0; i < file.pieces().size(); i++) if (file.pieces().get(i).type() == Type.UNKNOWN) return i;
    throw new IOException(path + " has no piece for the unknown");
  }

  private static void piece(ArrayNode list, String text, float score) { list.addArray().add(text).add((double) score); }

  private void gemma(Path path, SentencePieceFile file) throws IOException {
    if (file.kind() != SentencePieceFile.Kind.BPE)
      throw new IOException(path + " holds no byte pairs, which " + config.kind() + " needs");
    var ids = new HashMap<String, Integer>();
    for (int i = 0; i < file.pieces().size(); i++) ids.put(file.pieces().get(i).text(), i);
    model.put("type", "BPE").put("unk_token", file.pieces().get(unknown(path, file)).text()).put("fuse_unk", true)
        .put("byte_fallback", true);
    ids.forEach(model.putObject("vocab")::put);
    merges(file, ids);
    marks(ids);
    root.putObject("normalizer").put("type", "Replace").put("content", "▁").putObject("pattern").put("String", " ");
    root.putObject("pre_tokenizer").put("type", "Split").put("behavior", "MergedWithPrevious").putObject("pattern")
        .put("String", " ");
    var steps = root.putObject("decoder").put("type", "Sequence").putArray("decoders");
    steps.addObject().put("type", "Replace").put("content", " ").putObject("pattern").put("String", "▁");
    steps.addObject().put("type", "ByteFallback");
    template(config.is("add_bos_token", true) ? List.of(config.token("bos_token", "<bos>")) : List.of(),
        config.is("add_eos_token", false) ? List.of(config.token("eos_token", "<eos>")) : List.of(), ids, path);
  }

  /// Every cut of a piece in two pieces, in the order of the whole's id, then of the left part's length.
  private void merges(SentencePieceFile file, HashMap<String, Integer> ids) {
    record Merge(String left, String right) {}
    var list = model.putArray("merges");
    for (var p : file.pieces()) {
      var cuts = new ArrayList<Merge>();
      for (int i = 1; i < p.text().length(); i++)
        if (ids.containsKey(p.text().substring(0, i)) && ids.containsKey(p.text().substring(i)))
          cuts.add(new Merge(p.text().substring(0, i), p.text().substring(i)));
      cuts.sort(Comparator.comparingInt(m -> m.left.codePointCount(0, m.left.length())));
      for (var c : cuts) list.addArray().add(c.left).add(c.right);
    }
  }

  private Pipeline bert(Path file) throws IOException {
    if (!config.kind().isEmpty() && !config.kind().equals("BertTokenizer")) throw unknown(file);
    FirstBytes.refuse(file);
    var ids = new HashMap<String, Integer>();
    for (var line : Files.readAllLines(file)) ids.put(line.stripTrailing(), ids.size());
    model.put("type", "WordPiece").put("unk_token", config.token("unk_token", "[UNK]"))
        .put("continuing_subword_prefix", "##");
    ids.forEach(model.putObject("vocab")::put);
    boolean small = config.is("do_lower_case", true);
    root.putObject("normalizer").put("type", "BertNormalizer").put("lowercase", small).put("strip_accents",
        config.is("strip_accents", small)).put("handle_chinese_chars", config.is("tokenize_chinese_chars", true));
    root.putObject("pre_tokenizer").put("type", "BertPreTokenizer");
    root.putObject("decoder").put("type", "WordPiece");
    marks(ids);
    template(List.of(config.token("cls_token", "[CLS]")), List.of(config.token("sep_token", "[SEP]")), ids, file);
    return TokenizerJson.read(file, root);
  }

  private Pipeline bytePairs(Path vocabulary, Path merges) throws IOException {
    boolean roberta = config.kind().equals("RobertaTokenizer");
    if (!roberta && !config.kind().equals("GPT2Tokenizer")) throw unknown(vocabulary);
    var json = HubConfig.json(vocabulary);
    FirstBytes.refuse(merges);
    model.put("type", "BPE").set("vocab", json);
    var list = model.putArray("merges");
    for (var line : Files.readAllLines(merges)) if (!line.isEmpty() && !line.startsWith("#version")) list.add(line);
    root.putObject("pre_tokenizer").put("type", "ByteLevel")
        .put("add_prefix_space", config.is("add_prefix_space", false));
    root.putObject("decoder").put("type", "ByteLevel");
    var ids = new HashMap<String, Integer>(new ObjectMapper()
        .convertValue(json, new com.fasterxml.jackson.core.type.TypeReference<HashMap<String, Integer>>() {}));
    marks(ids);
    if (roberta)
      template(List.of(config.token("cls_token", "<s>")), List.of(config.token("sep_token", "</s>")), ids, vocabulary);
    return TokenizerJson.read(merges, root);
  }

  /// The config's marks, looked for in texts; one that the vocabulary lacks gets the next id.
  private void marks(HashMap<String, Integer> ids) {
    for (var name : List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"))
      if (config.token(name) instanceof String token) mark(token, ids.computeIfAbsent(token, _ -> ids.size()));
    if (config.kind().equals("GemmaTokenizer") && config.token("mask_token") == null)
      mark("<mask>", ids.computeIfAbsent("<mask>", _ -> ids.size()));
  }

  private void mark(String token, int id) {
    for (var t : added) if (t.get("content").textValue().equals(token)) return;
    added.addObject().put("id", id).put("content", token).put("special", true).put("normalized", false);
  }

  private void template(List<String> before, List<String> behind, HashMap<String, Integer> ids, Path file)
      throws IOException {
    var template = root.putObject("post_processor").put("type", "TemplateProcessing");
    var single = template.putArray("single");
    var special = template.putObject("special_tokens");
    for (var token : before) special(single, special, token, ids, file);
    single.addObject().putObject("Sequence").put("id", "A");
    for (var token : behind) special(single, special, token, ids, file);
  }

  private static void special(ArrayNode single, ObjectNode special, String token, HashMap<String, Integer> ids,
      Path file) throws IOException {
    if (!ids.containsKey(token)) throw new IOException(file + " lacks the mark " + token);
    single.addObject().putObject("SpecialToken").put("id", token);
    special.putObject(token).putArray("ids").add(ids.get(token));
  }
}
