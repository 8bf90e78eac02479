package jacquard.clip.data;

import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.text.ClipTokenizer;
import jacquard.clip.text.Tokenizer;
import jacquard.tensor.Random;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/// The training batches of a source: batch `step` is a function of the seed and the step alone, so that a resumed run goes on exactly
/// where it was. Each epoch is a new permutation; its remainder is dropped. A sample that cannot be read is left out and counted.
public final class Batches {
  private static final System.Logger LOG = System.getLogger(Batches.class.getName());

  /// @param pixels normalised, `[count, height, width, 3]`
  /// @param groups equal where captions are equal
  public record Batch(float[] pixels, int[][] tokens, int[] groups, int[] samples, int count) {}

  private final Source source;
  private final Transform transform;
  private final Augmentation augmentation;
  private final Tokenizer tokenizer;
  private final int size, context;
  private final long cut;
  private final Random key;
  private final int[] group;
  private final int[][] tokens;
  private final AtomicLong unreadable = new AtomicLong();
  private volatile String failure = "";

  public Batches(Source source, Transform transform, Augmentation augmentation, int size, int context, long seed) {
    this(source, transform, augmentation, ClipTokenizer.clip(), size, context, seed);
  }

  public Batches(Source source, Transform transform, Augmentation augmentation, Tokenizer tokenizer, int size, int context, long seed) {
    if (source.size() < size) throw new IllegalArgumentException(source.name() + " holds " + source.size() + " pairs, fewer than a batch of " + size);
    this.source = source;
    this.transform = transform;
    this.augmentation = augmentation;
    this.tokenizer = tokenizer;
    this.size = size;
    this.context = context;
    this.key = Random.of(seed).fold("data");
    var known = new HashMap<String, Integer>();
    long before = tokenizer.truncated();
    group = new int[source.size()];
    tokens = new int[source.size()][];
    for (int i = 0; i < group.length; i++) {
      group[i] = known.computeIfAbsent(source.caption(i), _ -> known.size());
      tokens[i] = tokenizer.tokenize(source.caption(i), this.context);
    }
    cut = tokenizer.truncated() - before;
  }

  /// How many captions are longer than the context and were cut.
  public long cut() { return cut; }
  public int perEpoch() { return source.size() / size; }
  /// How many samples could not be read so far.
  public long unreadable() { return unreadable.get(); }
  /// Why the first of them could not.
  public String firstFailure() { return failure; }

  public Batch batch(long step) { return batch(step, 0, 1, 1); }

  /// One rank's share of a batch. The batch is cut into `parts` micro-batches and each of these into the ranks' pieces, so that what the ranks
  /// have of a micro-batch is together the micro-batch of a single rank.
  public Batch batch(long step, int rank, int ranks, int parts) {
    int[] order = shuffled(source.size(), key.fold("order").fold(step / perEpoch()));
    int from = (int) (step % perEpoch()) * size;
    int[] at = IntStream.range(0, parts).flatMap(p -> {
      int first = size * p / parts, count = size * (p + 1) / parts - first;
      return IntStream.range(first + count * rank / ranks, first + count * (rank + 1) / ranks);
    }).map(i -> order[from + i]).toArray();
    float[][] rows = new float[at.length][];
    IntStream.range(0, at.length).parallel().forEach(i -> {
      int s = at[i];
      try { rows[i] = transform.rows(source.picture(s), augmentation, new SplittableRandom(key.fold("augment").fold(step).fold(s).key())); }
      catch (IOException | RuntimeException e) {
        if (unreadable.getAndIncrement() > 0) return;
        failure = e.getMessage();
        LOG.log(System.Logger.Level.WARNING, "left out, further ones are only counted: {0}", failure);
      }
    });
    var kept = new ArrayList<Integer>();
    for (int i = 0; i < at.length; i++) if (rows[i] != null) kept.add(i);
    int n = kept.size(), each = n == 0 ? 0 : rows[kept.getFirst()].length;
    var pixels = new float[n * each];
    int[][] t = new int[n][];
    int[] g = new int[n], samples = new int[n];
    for (int k = 0; k < n; k++) {
      int s = at[kept.get(k)];
      System.arraycopy(rows[kept.get(k)], 0, pixels, k * each, each);
      t[k] = tokenizer.reduces() ? tokenizer.tokenize(source.caption(s), context, key.fold("words").fold(step).fold(s)) : tokens[s];
      g[k] = group[s];
      samples[k] = s;
    }
    return new Batch(pixels, t, g, samples, n);
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
