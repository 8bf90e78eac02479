package jacquard.clip.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/// CLIP's byte-pair encoding with its official vocabulary of 49,408 (OpenAI CLIP, MIT). Safe for many threads.
public final class ClipTokenizer {
  public static final int START = 49406, END = 49407;
  private static final int MERGES = 48894, CACHED = 1 << 16, LONGEST = 1 << 20;
  private static final System.Logger LOG = System.getLogger(ClipTokenizer.class.getName());
  private static final Pattern WORD = Pattern.compile("<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^" + Cleaning.SPACE + "\\p{L}\\p{N}]+",
      Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);

  private static final class Loaded { static final ClipTokenizer CLIP = read(); }

  private record Pair(String left, String right) {}

  private final Map<String, Integer> ids;
  private final String[] words;
  private final Map<Pair, Integer> ranks;
  private final char[] ofByte;
  private final Map<String, int[]> cache = new ConcurrentHashMap<>();
  private final AtomicLong truncated = new AtomicLong();

  private ClipTokenizer(List<String[]> merges) {
    ofByte = bytes();
    var w = new ArrayList<String>();
    char[] order = ordered();
    for (char c : order) w.add(String.valueOf(c));
    for (char c : order) w.add(c + "</w>");
    ranks = HashMap.newHashMap(merges.size());
    for (var m : merges) {
      ranks.put(new Pair(m[0], m[1]), ranks.size());
      w.add(m[0] + m[1]);
    }
    w.add("<start_of_text>");
    w.add("<end_of_text>");
    words = w.toArray(String[]::new);
    ids = HashMap.newHashMap(words.length);
    for (int i = 0; i < words.length; i++) ids.put(words[i], i);
  }

  public static ClipTokenizer clip() { return Loaded.CLIP; }

  private static ClipTokenizer read() {
    var name = "bpe_simple_vocab_16e6.txt.gz";
    try (var in = new BufferedReader(new InputStreamReader(new GZIPInputStream(ClipTokenizer.class.getResourceAsStream(name)), StandardCharsets.UTF_8))) {
      in.readLine();
      var merges = new ArrayList<String[]>(MERGES);
      for (String line; merges.size() < MERGES && (line = in.readLine()) != null; ) {
        var pair = line.split(" ");
        if (pair.length != 2) throw new IOException(name + " line " + (merges.size() + 2) + " is \"" + line + "\", expected two parts");
        merges.add(pair);
      }
      if (merges.size() != MERGES) throw new IOException(name + " holds " + merges.size() + " merges, expected " + MERGES);
      return new ClipTokenizer(merges);
    } catch (IOException e) { throw new UncheckedIOException(e); }
  }

  /// Ids of a caption: start, words, end; cut to `length` with the end kept; padded with 0.
  public int[] tokenize(String caption, int length) {
    int[] body = encode(caption), r = new int[length];
    r[0] = START;
    int n = Math.min(body.length, length - 2);
    System.arraycopy(body, 0, r, 1, n);
    r[n + 1] = END;
    if (n < body.length && truncated.getAndIncrement() == 0)
      LOG.log(System.Logger.Level.WARNING, "a caption of {0} tokens was cut to {1}; further ones are only counted", body.length + 2, length);
    return r;
  }

  public int[][] tokenize(List<String> captions, int length) { return captions.stream().map(c -> tokenize(c, length)).toArray(int[][]::new); }

  /// How many captions were cut so far.
  public long truncated() { return truncated.get(); }

  /// Ids of the cleaned text alone.
  public int[] encode(String text) {
    if (text.length() > LONGEST) text = text.substring(0, LONGEST);
    int[] r = new int[16];
    int n = 0;
    var m = WORD.matcher(Cleaning.clip(text));
    while (m.find())
      for (int id : word(m.group())) {
        if (n == r.length) r = Arrays.copyOf(r, 2 * n);
        r[n++] = id;
      }
    return Arrays.copyOf(r, n);
  }

  private int[] word(String w) {
    int[] known = cache.get(w);
    if (known != null) return known;
    Integer special = w.equals("<start_of_text>") || w.equals("<end_of_text>") ? ids.get(w) : null;
    int[] r = special != null ? new int[] {special} : merged(w);
    if (cache.size() < CACHED && w.length() < 64) cache.put(w, r);
    return r;
  }

  /// Merges the pair of lowest rank, all its occurrences, until none is in the table.
  private int[] merged(String w) {
    byte[] utf8 = w.getBytes(StandardCharsets.UTF_8);
    var parts = new ArrayList<String>(utf8.length);
    for (byte b : utf8) parts.add(String.valueOf(ofByte[b & 255]));
    parts.set(parts.size() - 1, parts.getLast() + "</w>");
    while (parts.size() > 1) {
      int best = Integer.MAX_VALUE;
      Pair pair = null;
      for (int i = 0; i + 1 < parts.size(); i++) {
        var p = new Pair(parts.get(i), parts.get(i + 1));
        int rank = ranks.getOrDefault(p, Integer.MAX_VALUE);
        if (rank < best) { best = rank; pair = p; }
      }
      if (pair == null) break;
      var next = new ArrayList<String>(parts.size());
      for (int i = 0; i < parts.size(); i++)
        if (i + 1 < parts.size() && parts.get(i).equals(pair.left) && parts.get(i + 1).equals(pair.right)) { next.add(pair.left + pair.right); i++; }
        else next.add(parts.get(i));
      parts = next;
    }
    return parts.stream().mapToInt(ids::get).toArray();
  }

  /// Text of ids; ends of words become spaces.
  public String decode(int[] tokens) {
    var s = new StringBuilder();
    for (int t : tokens) s.append(words[t]);
    var bytes = new java.io.ByteArrayOutputStream();
    var joined = s.toString();
    var back = new HashMap<Character, Integer>();
    for (int b = 0; b < 256; b++) back.put(ofByte[b], b);
    joined.chars().forEach(c -> bytes.write(back.get((char) c)));
    return bytes.toString(StandardCharsets.UTF_8).replace("</w>", " ");
  }

  /// Bytes that print stand for themselves (21–7E, A1–AC, AE–FF), the others for U+0100 onwards.
  private static char[] bytes() {
    char[] r = new char[256];
    int next = 256;
    for (int b = 0; b < 256; b++) r[b] = prints(b) ? (char) b : (char) next++;
    return r;
  }

  private static boolean prints(int b) { return b >= 0x21 && b <= 0x7e || b >= 0xa1 && b <= 0xac || b >= 0xae; }

  /// In the vocabulary's order: those that print, then the rest.
  private char[] ordered() {
    var s = new StringBuilder();
    for (int b = 0; b < 256; b++) if (prints(b)) s.append(ofByte[b]);
    for (int b = 0; b < 256; b++) if (!prints(b)) s.append(ofByte[b]);
    return s.toString().toCharArray();
  }
}
