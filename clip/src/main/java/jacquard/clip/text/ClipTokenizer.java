package jacquard.clip.text;

import jacquard.tensor.Random;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

/// CLIP's tokenizer: cleans a caption, cuts it into words, and each word into byte pairs of the official vocabulary of
/// 49,408 (OpenAI CLIP, MIT). Ids are those of OpenCLIP's SimpleTokenizer. Safe for many threads.
public final class ClipTokenizer implements Tokenizer {
  public static final int START = BytePairs.START, END = BytePairs.END;
  static final String START_OF_TEXT = "<start_of_text>", END_OF_TEXT = "<end_of_text>";
  private static final System.Logger LOG = System.getLogger(ClipTokenizer.class.getName());
  /// The cleaned text has no other whitespace than spaces. Ignoring case, U+0345 is neither a letter (it is a mark) nor
  /// none (its capital is Ι), and belongs to no word.
  private static final Pattern WORD =
      Pattern.compile(START_OF_TEXT + "|" + END_OF_TEXT
      + "|'s|'t|'re|'ve|'m|'ll|'d|\\p{L}+|\\p{N}|[^ \\u0345\\p{L}\\p{N}]+",
      Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
  private static final Set<String> OPTIONS = Set.of("clean", "reduction_mask");
  private static final ClipTokenizer[][] ALL = new ClipTokenizer[Cleaning.values().length][Reduction.values().length];

  static {
    for (var c : Cleaning.values())
      for (var r : Reduction.values()) ALL[c.ordinal()][r.ordinal()] = new ClipTokenizer(c, r);
  }

  private final Cleaning cleaning;
  private final Reduction reduction;
  private final AtomicLong truncated = new AtomicLong();

  private ClipTokenizer(Cleaning cleaning, Reduction reduction) {
    this.cleaning = cleaning;
    this.reduction = reduction;
  }

  /// CLIP's own, which cleans to small letters.
  public static ClipTokenizer clip() { return clip(Cleaning.LOWER); }

  /// One that cleans otherwise.
  public static ClipTokenizer clip(Cleaning cleaning) { return ALL[cleaning.ordinal()][Reduction.NONE.ordinal()]; }

  /// The one that a config's `tokenizer_kwargs` ask for: `clean`, `reduction_mask`.
  ///
  /// @throws IllegalArgumentException at an unknown option or value, naming it and the known ones
  public static ClipTokenizer of(Map<String, ?> options) {
    for (var name : options.keySet())
      if (!OPTIONS.contains(name))
        throw new IllegalArgumentException("tokenizer_kwargs: CLIP's tokenizer has no option " + name
            + ", expected clean or reduction_mask");
    var cleaning = options.get("clean") instanceof Object name ? Cleaning.named(name.toString()) : Cleaning.LOWER;
    var reduction = options.get("reduction_mask") instanceof Object name ? Reduction.named(name.toString())
        : Reduction.NONE;
    return ALL[cleaning.ordinal()][reduction.ordinal()];
  }

  /// Whether it leaves tokens out by chance, so that training asks for a caption's ids at every step.
  @Override public boolean reduces() { return reduction != Reduction.NONE; }

  /// Ids of a caption: start, words, end; cut to `length` with the end kept; padded with 0.
  @Override public int[] tokenize(String caption, int length) {
    return tokenize(caption, length, Reduction.NONE, null);
  }

  /// The same, but what is cut is chosen by [Reduction] and a key: for training.
  @Override public int[] tokenize(String caption, int length, Random key) {
    return tokenize(caption, length, reduction, key);
  }

  private int[] tokenize(String caption, int length, Reduction by, Random key) {
    if (length < 1) throw new IllegalArgumentException("a context of " + length + " tokens, expected at least 1");
    int[] body = encode(caption), r = new int[length];
    int n = Math.max(0, Math.min(body.length, length - 2));
    r[0] = START;
    System.arraycopy(by.of(body, n, key), 0, r, Math.min(1, length - 1), n);
    r[Math.min(n + 1, length - 1)] = END;
    if (body.length + 2 > length && truncated.getAndIncrement() == 0 && by == Reduction.NONE)
      LOG.log(System.Logger.Level.WARNING, "a caption of {0} tokens was cut to {1}; further ones are only counted",
          body.length + 2, length);
    return r;
  }

  @Override public int[] unpadded(String caption, int length) {
    int[] r = tokenize(caption, length);
    int n = length;
    while (r[n - 1] != END) n--;
    return Arrays.copyOf(r, n);
  }

  @Override public int pad() { return 0; }

  @Override public int vocabulary() { return END + 1; }

  /// How many captions were cut so far; the first was logged as a warning.
  @Override public long truncated() { return truncated.get(); }

  /// Ids of the cleaned text alone.
  @Override public int[] encode(String text) {
    int[] r = new int[16];
    int n = 0;
    var m = WORD.matcher(cleaning.of(text));
    while (m.find()) {
      var word = m.group();
      int[] ids = word.equals(START_OF_TEXT) ? new int[] {START} : word.equals(END_OF_TEXT) ? new int[] {END}
          : BytePairs.CLIP.word(word);
      if (n + ids.length > r.length) r = Arrays.copyOf(r, Math.max(2 * n, n + ids.length));
      System.arraycopy(ids, 0, r, n, ids.length);
      n += ids.length;
    }
    return Arrays.copyOf(r, n);
  }

  /// Text of ids; ends of words become spaces, bytes that are no UTF-8 U+FFFD.
  @Override public String decode(int[] tokens) {
    var bytes = new ByteArrayOutputStream();
    for (int t : tokens) {
      if (t < 0 || t > END) throw new IllegalArgumentException("token " + t + ", expected 0 to " + END);
      BytePairs.CLIP.write(t, bytes);
    }
    byte[] utf8 = bytes.toByteArray();
    // a surrogate: Python replaces each of its bytes, the JDK all three together
    for (int i = 0; i + 1 < utf8.length; i++)
      if (utf8[i] == (byte) 0xed && (utf8[i + 1] & 0xe0) == 0xa0) utf8[i] = -1;
    return new String(utf8, StandardCharsets.UTF_8).replace("</w>", " ");
  }
}
