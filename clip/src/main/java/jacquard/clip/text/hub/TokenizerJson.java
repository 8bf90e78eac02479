package jacquard.clip.text.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.settings.FirstBytes;
import jacquard.clip.settings.Json;
import jacquard.clip.text.pieces.BytePieces;
import jacquard.clip.text.pieces.Merges;
import jacquard.clip.text.pieces.Model;
import jacquard.clip.text.pieces.Unigrams;
import jacquard.clip.text.pieces.Vocabulary;
import jacquard.clip.text.pieces.WordPieces;
import jacquard.clip.text.pieces.Words;
import jacquard.clip.text.words.AddedTokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;

/// Reads `tokenizer.json`, the format of the `tokenizers` library: what published models use of it. A kind that is not
/// known is refused by name.
final class TokenizerJson {
  private TokenizerJson() {}

  /// @throws IOException naming the file and the place, if it cannot be read
  static Pipeline read(Path file) throws IOException {
    FirstBytes.refuse(file);
    try { return read(file, new ObjectMapper().readTree(file.toFile())); }
    catch (JsonProcessingException e) {
      throw new IOException(file + " is no JSON: " + Json.said(e), e);
    }
  }

  /// One in memory, read from a file of another format.
  static Pipeline read(Path file, JsonNode json) throws IOException {
    var root = new Fields(file, "", json);
    if (!json.isObject()) throw root.wrong("expected an object with a model");
    var normalizer = Steps.normalizer(root.part("normalizer"));
    var model = model(root.part("model"));
    var marks = new Marks(new int[0], new int[0]);
    marks = marks(root.part("post_processor"), marks);
    return new Pipeline(new AddedTokens(added(root.part("added_tokens")), normalizer),
        Steps.preTokenizer(root.part("pre_tokenizer")), model.model, model.vocabulary,
        Steps.decoder(root.part("decoder")), marks.before, marks.behind);
  }

  private static ArrayList<AddedTokens.Token> added(Fields f) throws IOException {
    var r = new ArrayList<AddedTokens.Token>();
    if (f.absent()) return r;
    for (var t : f.list()) r.add(token(t, t.part("id").number(0, 1 << 24)));
    return r;
  }

  static AddedTokens.Token token(Fields t, int id) throws IOException {
    boolean special = t.is("special", false);
    return new AddedTokens.Token(id, t.part("content").text(), t.is("single_word", false), t.is("lstrip", false),
        t.is("rstrip", false), t.is("normalized", !special), special);
  }

  private record Pieces(Model model, Vocabulary vocabulary) {}

  private static Pieces model(Fields f) throws IOException {
    return switch (kind(f)) {
      case "WordPiece" -> {
        var v = vocabulary(f.part("vocab"));
        int longest = f.part("max_input_chars_per_word").absent() ? 100
            : f.part("max_input_chars_per_word").number(0, Integer.MAX_VALUE);
        yield new Pieces(new WordPieces(v, id(v, f.part("unk_token"), "[UNK]"),
            f.part("continuing_subword_prefix").text("##"), longest), v);
      }
      case "WordLevel" -> {
        var v = vocabulary(f.part("vocab"));
        yield new Pieces(new Words(v, v.id(f.part("unk_token").text("<unk>"))), v);
      }
      case "BPE" -> bytePairs(f);
      case "Unigram" -> unigrams(f);
      default -> throw f.unknown("model", "BPE, Unigram, WordLevel and WordPiece");
    };
  }

  /// Older files do not say.
  private static String kind(Fields f) throws IOException {
    if (!f.part("type").absent()) return f.type();
    if (!f.node().isObject()) throw f.wrong("is missing");
    return f.node().has("merges") ? "BPE" : f.node().path("vocab").isArray() ? "Unigram"
        : f.node().has("continuing_subword_prefix") ? "WordPiece" : "WordLevel";
  }

  private static Vocabulary vocabulary(Fields f) throws IOException {
    if (!f.node().isObject()) throw f.wrong("expected an object of pieces and their ids");
    int n = f.node().size(), size = 0, most = 4 * n + (1 << 16);
    var ids = HashMap.<String, Integer>newHashMap(n);
    for (var e : f.node().properties()) {
      var id = e.getValue();
      if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0 || id.intValue() > most)
        throw f.wrong("\"" + e.getKey() + "\" is " + id + ", expected an id from 0 to " + most + " for " + n
            + " pieces");
      ids.put(e.getKey(), id.intValue());
      size = Math.max(size, id.intValue() + 1);
    }
    return new Vocabulary(ids, size);
  }

  private static int id(Vocabulary v, Fields f, String otherwise) throws IOException {
    int id = v.id(f.text(otherwise));
    if (id < 0) throw f.wrong("is \"" + f.text(otherwise) + "\", which the vocabulary has not");
    return id;
  }

  private static Pieces bytePairs(Fields f) throws IOException {
    var v = vocabulary(f.part("vocab"));
    if (f.node().path("dropout").asDouble(0) > 0)
      throw f.wrong("dropout is " + f.node().path("dropout") + ", expected none: ids by chance are not built in");
    var options = new BytePieces.Options(f.part("unk_token").text(null), f.part("continuing_subword_prefix").text(""),
        f.part("end_of_word_suffix").text(""), f.is("fuse_unk", false),
        f.is("byte_fallback", false), f.is("ignore_merges", false));
    if (options.unknown() != null && v.id(options.unknown()) < 0)
      throw f.wrong("unk_token is \"" + options.unknown() + "\", which the vocabulary has not");
    var merges = new Merges();
    var list = f.part("merges");
    if (!list.node().isArray()) throw list.wrong("expected a list of pairs");
    for (int i = 0; i < list.node().size(); i++) {
      var m = list.node().get(i);
      int space = m.isTextual() ? m.textValue().indexOf(' ') : -1;
      String left = m.isArray() && m.size() == 2 ? m.get(0).asText() : space < 0 ? null
          : m.textValue().substring(0, space);
      String right = left == null ? null : m.isArray() ? m.get(1).asText() : m.textValue().substring(space + 1);
      int a = v.id(left), b = v.id(right);
      int result = a < 0 || b < 0 || right.length() < options.prefix().length() ? -1
          : v.id(left + right.substring(options.prefix().length()));
      if (result < 0)
        throw list.wrong("the pair " + i + " is " + m + ", expected two pieces of the vocabulary that make a third");
      merges.put(a, b, i, result);
    }
    return new Pieces(new BytePieces(v, merges, options), v);
  }

  private static Pieces unigrams(Fields f) throws IOException {
    var list = f.part("vocab");
    if (!list.node().isArray() || list.node().isEmpty()) throw list.wrong("expected a list of pieces and their scores");
    int n = list.node().size();
    var pieces = new String[n];
    var scores = new double[n];
    double lowest = Double.POSITIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      var p = list.node().get(i);
      if (p.size() != 2 || !p.get(0).isTextual() || !p.get(1).isNumber())
        throw list.wrong("the piece " + i + " is " + p + ", expected a text and a score");
      pieces[i] = p.get(0).textValue();
      scores[i] = p.get(1).doubleValue();
      lowest = Math.min(lowest, scores[i]);
    }
    int unknown = f.part("unk_id").absent() ? -1 : f.part("unk_id").number(0, n - 1);
    var v = Vocabulary.of(pieces);
    return new Pieces(new Unigrams(pieces, scores, lowest, unknown, f.is("byte_fallback", false) ? v.bytes() : null,
        false), v);
  }

  /// Ids before and behind a text.
  private record Marks(int[] before, int[] behind) {
    private Marks around(int[] first, int[] last) {
      return new Marks(Pipeline.joined(first, before), Pipeline.joined(behind, last));
    }
  }

  private static Marks marks(Fields f, Marks inner) throws IOException {
    if (f.absent()) return inner;
    switch (f.type()) {
      case "Sequence" -> {
        for (var p : f.part("processors").list()) inner = marks(p, inner);
        return inner;
      }
      case "ByteLevel" -> { return inner; }
      case "BertProcessing", "RobertaProcessing" -> {
        return inner.around(new int[] {pair(f.part("cls"))}, new int[] {pair(f.part("sep"))});
      }
      case "TemplateProcessing" -> { return template(f, inner); }
      default -> throw f.unknown("post-processor",
          "BertProcessing, ByteLevel, RobertaProcessing, Sequence and TemplateProcessing");
    }
  }

  private static int pair(Fields f) throws IOException {
    if (f.list().size() != 2) throw f.wrong("expected a token and its id");
    return f.list().get(1).number(0, 1 << 24);
  }

  private static Marks template(Fields f, Marks inner) throws IOException {
    var before = new ArrayList<Integer>();
    var behind = new ArrayList<Integer>();
    int texts = 0;
    for (var p : f.part("single").list()) {
      if (!p.part("Sequence").absent()) {
        texts++;
        continue;
      }
      var name = p.part("SpecialToken").part("id").text();
      for (var id : new Fields(f.file(), f.at() + ".special_tokens." + name, f.node().path("special_tokens").path(name))
          .part("ids").list())
        (texts == 0 ? before : behind).add(id.number(0, 1 << 24));
    }
    if (texts != 1) throw f.part("single").wrong("names the text " + texts + " times, expected once");
    return inner.around(Pipeline.ids(before), Pipeline.ids(behind));
  }
}
