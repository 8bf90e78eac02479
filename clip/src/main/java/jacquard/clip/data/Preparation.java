package jacquard.clip.data;

import jacquard.clip.image.Picture;
import jacquard.clip.settings.Count;
import jacquard.clip.text.Tokenizer;
import jacquard.clip.text.augment.CaptionAugmentation;
import jacquard.clip.text.augment.TokenMasking;
import jacquard.tensor.Random;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Makes batches of pairs: pictures decoded, augmented and normalised, captions tokenised. What cannot be read is left
/// out and counted by its reason. All draws follow from the key, the step and the sample's number. Thread-safe.
public final class Preparation {
  private static final System.Logger LOG = System.getLogger(Preparation.class.getName());
  private static final String UNREADABLE = "unreadable";

  /// A pair as it was read.
  public record Pair(Picture picture, String caption) {}

  /// Pairs by number; any thread may ask.
  public interface Pairs {
    /// @param draw what the choice among several captions is drawn from
    /// @throws IOException where it cannot be read; a [LeftOut] says a reason to count it under
    Pair read(long number, Random draw) throws IOException;
  }

  /// A sample that is left out.
  public static final class LeftOut extends IOException {
    private final String reason;

    /// @param reason  in a few words, the same for all of a kind
    /// @param message naming the sample
    public LeftOut(String reason, String message, Throwable cause) {
      super(message, cause);
      this.reason = reason;
    }

    public String reason() { return reason; }
  }

  private final Framing framing;
  private final CaptionAugmentation changes;
  private final TokenMasking masking;
  private final Tokenizer tokenizer;
  private final int context, padding;
  private final Random key;
  private final AtomicLong cut = new AtomicLong();
  private final Map<String, Long> reasons = new TreeMap<>();
  private String failure = "";

  public Preparation(Framing framing, Tokenizer tokenizer, int context, Random key) {
    this(framing, CaptionAugmentation.NONE, tokenizer, context, key);
  }

  /// @param changes of captions. Samples with equal captions belong together, however their words are changed
  public Preparation(Framing framing, CaptionAugmentation changes, Tokenizer tokenizer, int context, Random key) {
    this.framing = framing;
    this.changes = changes;
    this.masking = changes.masking() > 0 ? new TokenMasking(tokenizer) : null;
    this.tokenizer = tokenizer;
    this.context = context;
    this.padding = tokenizer.tokenize("", 64)[63];
    this.key = key;
  }

  /// The samples of these numbers but those that cannot be read, in this order.
  public Batch batch(long step, long[] numbers, Pairs pairs) { return batch(step, numbers, pairs, framing); }

  /// The same, its pictures framed otherwise.
  public Batch batch(long step, long[] numbers, Pairs pairs, Framing framing) {
    var framed = new Framing.Framed[numbers.length];
    String[] captions = new String[numbers.length];
    IntStream.range(0, numbers.length).parallel().forEach(i -> {
      try {
        var pair = pairs.read(numbers[i], drawn("caption", step, numbers[i]));
        captions[i] = changes.chosen(pair.caption, drawn("caption", step, numbers[i]));
        framed[i] = framing.of(pair.picture, new SplittableRandom(drawn("augment", step, numbers[i]).key()));
      } catch (IOException | RuntimeException e) { leftOut(e); }
    });
    int[] kept = IntStream.range(0, numbers.length).filter(i -> framed[i] != null).toArray();
    int n = kept.length;
    long[] groups = new long[n];
    int[] samples = new int[n];
    int[][] tokens = new int[n][];
    for (int k = 0; k < n; k++) {
      samples[k] = (int) numbers[kept[k]];
      groups[k] = CaptionNumbers.hash(captions[kept[k]]);
      tokens[k] = tokens(captions[kept[k]], drawn("words", step, numbers[kept[k]]));
    }
    var pictures = framing.joined(IntStream.of(kept).mapToObj(i -> framed[i]).toList());
    return new Batch(List.of(pictures, new Batch.Captions(tokens)), groups, samples, n);
  }

  private Random drawn(String what, long step, long number) { return key.fold(what).fold(step).fold(number); }

  private int[] tokens(String original, Random draw) {
    var caption = changes.words(original, draw);
    int[] r = tokenizer.reduces() ? tokenizer.tokenize(caption, context, draw) : tokenizer.tokenize(caption, context);
    if (cut(caption, r)) cut.incrementAndGet();
    return masking == null ? r : masking.of(caption, r, changes.masking(), draw.fold("masking"));
  }

  /// Whether a caption has more ids than the context: with room for one more, they are others, or there is no padding
  /// behind them.
  private boolean cut(String caption, int[] ids) {
    if (context > 1 && ids[context - 2] == padding && ids[context - 1] == padding) return false;
    int[] more = tokenizer.tokenize(caption, context + 1), here = tokenizer.reduces()
        ? tokenizer.tokenize(caption, context) : ids;
    return more[context] != padding || !Arrays.equals(here, 0, context, more, 0, context);
  }

  private synchronized void leftOut(Exception e) {
    reasons.merge(e instanceof LeftOut l ? l.reason : UNREADABLE, 1L, Long::sum);
    if (!failure.isEmpty()) return;
    failure = e.getMessage() == null ? e.toString() : e.getMessage();
    LOG.log(System.Logger.Level.WARNING, "left out, further ones are only counted: {0}", failure);
  }

  /// How many samples could not be read so far.
  public synchronized long unreadable() { return reasons.values().stream().mapToLong(n -> n).sum(); }

  /// How many of them for each reason.
  public synchronized Map<String, Long> reasons() { return new TreeMap<>(reasons); }

  /// Why the first could not; empty where all could.
  public synchronized String firstFailure() { return failure; }

  /// What a reader of the run's output should know.
  public List<String> notes() {
    var r = new ArrayList<String>();
    if (cut.get() > 0)
      r.add(Count.of(cut.get(), "caption was", "captions were") + " longer than " + context + " tokens and "
          + (cut.get() == 1 ? "was" : "were") + " cut");
    var why = reasons();
    var said = why.keySet().equals(Set.of(UNREADABLE)) ? "" : why.entrySet().stream().map(e ->
        "%,d %s".formatted(e.getValue(), e.getKey())).collect(Collectors.joining(", ", " (", ")"));
    if (!why.isEmpty())
      r.add(Count.of(unreadable(), "sample") + " could not be read and " + (unreadable() == 1 ? "was" : "were")
          + " left out" + said + "; the first: " + firstFailure());
    return r;
  }
}
