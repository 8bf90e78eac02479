package jacquard.clip.data;

import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.text.ClipTokenizer;
import jacquard.clip.text.Tokenizer;
import jacquard.tensor.Grid;
import jacquard.tensor.Random;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/// The pairs of a [Source] as a stream. Each epoch is a new permutation of all of them, drawn once and kept while it lasts. Captions are tokenised as
/// they are read.
public final class Batches implements Stream {
  private static final System.Logger LOG = System.getLogger(Batches.class.getName());

  private final Source source;
  private final Transform transform;
  private final Augmentation augmentation;
  private final Tokenizer tokenizer;
  private final int size, context, padding;
  private final Random key;
  private final AtomicLong unreadable = new AtomicLong(), cut = new AtomicLong();
  private volatile String failure = "";
  /// The epochs last asked for: while one ends, batches of the next are read ahead.
  private final List<Epoch> epochs = new ArrayList<>();
  private Fingerprint fingerprint;

  private record Epoch(long number, int[] order) {}

  public Batches(Source source, Transform transform, Augmentation augmentation, int size, int context, long seed) {
    this(source, transform, augmentation, ClipTokenizer.clip(), size, context, seed);
  }

  /// @param size pairs a step, of all ranks
  public Batches(Source source, Transform transform, Augmentation augmentation, Tokenizer tokenizer, int size, int context, long seed) {
    if (source.size() < size) throw new IllegalArgumentException(source.name() + " holds " + source.size() + " pairs, fewer than a step's " + size);
    this.source = source;
    this.transform = transform;
    this.augmentation = augmentation;
    this.tokenizer = tokenizer;
    this.size = size;
    this.context = context;
    this.padding = tokenizer.tokenize("", 64)[63];
    this.key = Random.of(seed).fold("data");
  }

  @Override public int size() { return size; }
  @Override public long perEpoch() { return source.size() / size; }
  @Override public Map<String, String> order() { return Map.of("order", "shuffled"); }
  @Override public String firstFailure() { return failure; }

  @Override public synchronized Fingerprint fingerprint() {
    if (fingerprint != null) return fingerprint;
    long h = 0;
    for (int i = 0; i < source.size(); i++) h = Captions.then(h, Captions.hash(source.caption(i)));
    return fingerprint = new Fingerprint(source.size(), h);
  }

  /// How many samples could not be read so far.
  public long unreadable() { return unreadable.get(); }

  @Override public List<String> notes() {
    var r = new ArrayList<String>();
    if (cut.get() > 0) r.add("%,d captions were longer than %d tokens and were cut".formatted(cut.get(), context));
    if (unreadable.get() > 0) r.add("%,d samples could not be read and were left out; the first: %s".formatted(unreadable.get(), failure));
    return r;
  }

  @Override public Batch at(long step, int rank, int ranks, int parts) {
    int[] order = order(step / perEpoch());
    int from = (int) (step % perEpoch()) * size;
    int[] at = IntStream.range(0, parts).flatMap(p -> {
      int first = size * p / parts, count = size * (p + 1) / parts - first;
      return IntStream.range(first + count * rank / ranks, first + count * (rank + 1) / ranks);
    }).map(i -> order[from + i]).toArray();
    float[][] rows = new float[at.length][];
    IntStream.range(0, at.length).parallel().forEach(i -> rows[i] = picture(step, at[i]));
    int[] kept = IntStream.range(0, at.length).filter(i -> rows[i] != null).toArray();
    int n = kept.length, each = n == 0 ? 0 : rows[kept[0]].length;
    var pixels = new float[n * each];
    long[] groups = new long[n];
    int[] samples = new int[n];
    for (int k = 0; k < n; k++) {
      System.arraycopy(rows[kept[k]], 0, pixels, k * each, each);
      samples[k] = at[kept[k]];
      groups[k] = Captions.hash(source.caption(samples[k]));
    }
    var grid = new Grid(transform.config().height(), transform.config().width());
    return new Batch(List.of(new Batch.Pictures(pixels, grid), new Batch.Captions(tokens(step, samples))), groups, samples, n);
  }

  private int[][] tokens(long step, int[] samples) {
    int[][] r = new int[samples.length][];
    for (int k = 0; k < r.length; k++) {
      var caption = source.caption(samples[k]);
      r[k] = tokenizer.reduces() ? tokenizer.tokenize(caption, context, key.fold("words").fold(step).fold(samples[k])) : tokenizer.tokenize(caption, context);
      if (cut(caption, r[k])) cut.incrementAndGet();
    }
    return r;
  }

  /// Whether a caption has more ids than the context: with room for one more, they are others, or there is no padding behind them.
  private boolean cut(String caption, int[] ids) {
    if (context > 1 && ids[context - 2] == padding && ids[context - 1] == padding) return false;
    int[] more = tokenizer.tokenize(caption, context + 1), here = tokenizer.reduces() ? tokenizer.tokenize(caption, context) : ids;
    return more[context] != padding || !Arrays.equals(here, 0, context, more, 0, context);
  }

  /// Null where it cannot be read.
  private float[] picture(long step, int sample) {
    try { return transform.rows(source.picture(sample), augmentation, new SplittableRandom(key.fold("augment").fold(step).fold(sample).key())); }
    catch (IOException | RuntimeException e) {
      if (unreadable.getAndIncrement() > 0) return null;
      failure = e.getMessage();
      LOG.log(System.Logger.Level.WARNING, "left out, further ones are only counted: {0}", failure);
      return null;
    }
  }

  private int[] order(long epoch) {
    synchronized (epochs) {
      for (var e : epochs) if (e.number == epoch) return e.order;
      if (epochs.size() == 2) epochs.removeFirst();
      epochs.add(new Epoch(epoch, shuffled(source.size(), key.fold("order").fold(epoch))));
      return epochs.getLast().order;
    }
  }

  /// Fisher and Yates, from a key.
  static int[] shuffled(int n, Random key) {
    int[] r = IntStream.range(0, n).toArray();
    for (int i = 0; i < n - 1; i++) {
      int j = i + key.below(i, n - i), t = r[i];
      r[i] = r[j];
      r[j] = t;
    }
    return r;
  }
}
