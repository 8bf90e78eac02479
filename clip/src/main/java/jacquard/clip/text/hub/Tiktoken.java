package jacquard.clip.text.hub;

import jacquard.clip.text.Cleaning;
import jacquard.clip.text.Tokenizer;
import jacquard.clip.text.pieces.Ids;
import jacquard.clip.text.pieces.Merges;
import jacquard.clip.text.words.Letters;
import jacquard.clip.text.words.WordRule;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.zip.GZIPInputStream;

/// A vocabulary of tiktoken, as OpenCLIP uses it: marks of end, padding and start follow its ids, and nothing in a text
/// is a mark. A line of its file is a sequence of bytes in Base64 and its rank, which is its id; of two neighbours
/// those are joined first that make the lowest rank.
///
/// Options: `clean` (the text stays as it is by default), `add_bos`, `add_eos` (both true by default).
public final class Tiktoken implements Tokenizer {
  /// How an encoding cuts words, and one more than its highest id, marks of its own included; 0: the file's.
  private record Encoding(WordRule rule, int size) {}

  private static final WordRule CL100K = new WordRule(true, true, 3, true, true);
  private static final Map<String, Encoding> ENCODINGS =
      Map.of("gpt2", new Encoding(WordRule.GPT2, 50257), "r50k_base", new Encoding(WordRule.GPT2, 50257),
      "p50k_base", new Encoding(WordRule.GPT2, 50281), "p50k_edit", new Encoding(WordRule.GPT2, 50284), "cl100k_base",
      new Encoding(CL100K, 100277));
  private static final int CACHED = 1 << 16, SHORT = 64, MOST = 1 << 22;

  private final UnaryOperator<String> cleaning;
  private final WordRule rule;
  private final int size;
  private final int[] ofByte = new int[256];
  /// Bytes as Latin-1 letters.
  private final Map<String, Integer> ids = new HashMap<>();
  private final String[] pieces;
  private final Merges merges = new Merges();
  private final Cut cut;
  private final Map<String, int[]> known = new ConcurrentHashMap<>();

  private Tiktoken(Path file, Encoding encoding, Options options) throws IOException {
    cleaning = options.text("clean", null) instanceof String name ? Cleaning.named(name)::of : text -> text;
    rule = encoding.rule;
    int most = lines(file);
    pieces = new String[most];
    ids.forEach((piece, id) -> pieces[id] = piece);
    for (int b = 0; b < 256; b++) {
      var id = ids.get(String.valueOf((char) b));
      if (id == null) throw new IOException(file + " lacks the byte " + b);
      ofByte[b] = id;
    }
    ids.forEach((piece, id) -> {
      for (int i = 1; i < piece.length(); i++)
        if (ids.get(piece.substring(0, i)) instanceof Integer left
            && ids.get(piece.substring(i)) instanceof Integer right)
          merges.put(left, right, id, id);
    });
    size = Math.max(encoding.size, most);
    cut = new Cut(options.is("add_bos", true) ? new int[] {size + 2} : new int[0], options.is("add_eos", true)
        ? new int[] {size} : new int[0], size + 1, false, false);
  }

  /// The encoding of a name, from a folder with its file `NAME.tiktoken` or `NAME.tiktoken.gz`.
  ///
  /// @throws IOException naming the file, if it cannot be read
  /// @throws IllegalArgumentException at an unknown encoding or option
  public static Tiktoken of(Path folder, String name, Map<String, ?> kwargs) throws IOException {
    var encoding = ENCODINGS.get(name);
    if (encoding == null)
      throw new IllegalArgumentException("tiktoken_name is \"" + name + "\"; known are "
          + String.join(", ", ENCODINGS.keySet().stream().sorted().toList()));
    return new Tiktoken(file(folder, name), encoding, options(kwargs));
  }

  /// An encoding that has no name.
  ///
  /// @param pattern tiktoken's regular expression for words, one of those that its encodings have
  /// @param size one more than the highest id, marks of its own included
  /// @throws IllegalArgumentException at another expression, or an unknown option
  public static Tiktoken read(Path file, String pattern, int size, Map<String, ?> kwargs) throws IOException {
    var rule = WordRule.of(pattern);
    if (rule == null) throw new IllegalArgumentException("no rule is known for words of the pattern " + pattern);
    return new Tiktoken(file, new Encoding(rule, size), options(kwargs));
  }

  private static Options options(Map<String, ?> kwargs) {
    return new Options(kwargs).only("a tokenizer of tiktoken", List.of("clean", "add_bos", "add_eos"));
  }

  /// Whether tiktoken has an encoding of that name.
  public static boolean has(String name) { return ENCODINGS.containsKey(name); }

  private static Path file(Path folder, String name) throws IOException {
    for (var ending : List.of(".tiktoken", ".tiktoken.gz"))
      if (Files.exists(folder.resolve(name + ending))) return folder.resolve(name + ending);
    throw new IOException(folder + " holds no " + name + ".tiktoken");
  }

  private static InputStream open(Path file) throws IOException {
    var in = Files.newInputStream(file);
    return file.toString().endsWith(".gz") ? new GZIPInputStream(in) : in;
  }

  /// Reads the lines; one more than the highest id.
  private int lines(Path file) throws IOException {
    int most = 0, number = 0;
    try (var in = new BufferedReader(new InputStreamReader(open(file), StandardCharsets.US_ASCII))) {
      for (String line; (line = in.readLine()) != null;) {
        number++;
        if (line.isEmpty()) continue;
        int space = line.indexOf(' ');
        try {
          int id = Integer.parseInt(line.substring(space + 1));
          var piece = new String(Base64.getDecoder().decode(line.substring(0, space)), StandardCharsets.ISO_8859_1);
          if (id < 0 || id >= MOST || piece.isEmpty() || piece.length() > 1024 || ids.put(piece, id) != null)
            throw new IllegalArgumentException("twice, or out of range");
          most = Math.max(most, id + 1);
        } catch (IllegalArgumentException | StringIndexOutOfBoundsException e) {
          throw new IOException(file + " line " + number + " is \"" + (line.length() > 80 ? line.substring(0, 80) + "…"
              : line) + "\", expected new bytes in Base64 and an id", e);
        }
      }
    }
    return most;
  }

  @Override public int[] encode(String text) {
    var s = Letters.paired(cleaning.apply(text));
    var out = new Ids();
    for (int from = 0, to; from < s.length(); from = to) {
      to = rule.end(s, from);
      var word = s.substring(from, to);
      int[] r = known.get(word);
      if (r == null) {
        r = word(word);
        if (word.length() < SHORT && known.size() < CACHED) known.put(word, r);
      }
      out.add(r);
    }
    return out.toArray();
  }

  private int[] word(String word) {
    byte[] utf8 = word.getBytes(StandardCharsets.UTF_8);
    if (ids.get(new String(utf8, StandardCharsets.ISO_8859_1)) instanceof Integer id) return new int[] {id};
    int[] r = new int[utf8.length];
    for (int i = 0; i < r.length; i++) r[i] = ofByte[utf8[i] & 255];
    return java.util.Arrays.copyOf(r, merges.apply(r, r.length));
  }

  @Override public int[] unpadded(String text, int context) { return cut.row(encode(text), context); }

  @Override public int[] tokenize(String text, int context) { return cut.padded(unpadded(text, context), context); }

  @Override public long truncated() { return cut.count().get(); }

  /// Text of ids; marks are left out, bytes that are no UTF-8 are U+FFFD.
  @Override public String decode(int[] tokens) {
    var out = new ByteArrayOutputStream();
    for (int t : tokens) {
      if (t < 0 || t >= vocabulary())
        throw new IllegalArgumentException("token " + t + ", expected 0 to " + (vocabulary() - 1));
      if (t < pieces.length && pieces[t] != null) out.writeBytes(pieces[t].getBytes(StandardCharsets.ISO_8859_1));
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  @Override public int pad() { return cut.pad(); }

  @Override public int vocabulary() { return size + 3; }
}
