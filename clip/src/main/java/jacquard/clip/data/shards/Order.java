package jacquard.clip.data.shards;

import jacquard.tensor.Random;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Which sample a step reads: a pure function of the seed, the epoch and the step. Of an epoch the shards are permuted;
/// what they hold is one sequence, cut into equal stretches, the lanes; in a lane windows of samples are permuted, each
/// for itself. A step takes as many consecutive samples of each lane. With one lane and one window it is a permutation
/// of all.
///
/// @param counts    samples of each shard
/// @param factors   how often each shard's source appears in an epoch; while drawing, the weight of the shard
/// @param sources   of each shard the number of its source
/// @param total     samples an epoch
/// @param resampled whether shards are drawn with replacement
/// @param size      samples a step
/// @param lanes     a divisor of `size`
/// @param window    samples of a window
public record Order(long[] counts, double[] factors, int[] sources, long total, boolean resampled, int size, int lanes,
    long window, Random key) {
  private static final int ROUNDS = 4;

  /// @param shard the shards in their order; one may come several times
  /// @param start where each begins in the epoch's sequence, and the whole's length
  public record Epoch(long number, int[] shard, long[] start) {}

  /// A sample of a shard, by their numbers.
  public record Place(int shard, long sample) {}

  public Order {
    if (size % lanes != 0)
      throw new IllegalArgumentException("a step of " + size + " samples cannot be taken from " + lanes
          + " lanes in equal parts");
  }

  /// What the sources give in an epoch by their factors: ⌊f⌋ times all, and as many samples as the rest of f says, to
  /// the nearest.
  public static long natural(long[] counts, double[] factors, int[] sources) {
    long sum = 0;
    for (int s = 0; s <= Arrays.stream(sources).max().orElse(-1); s++) {
      long n = count(counts, sources, s);
      double f = factor(factors, sources, s);
      sum += (long) f * n + Math.round((f - Math.floor(f)) * n);
    }
    return sum;
  }

  private static long count(long[] counts, int[] sources, int s) {
    long n = 0;
    for (int i = 0; i < counts.length; i++) if (sources[i] == s) n += counts[i];
    return n;
  }

  private static double factor(double[] factors, int[] sources, int s) {
    for (int i = 0; i < sources.length; i++) if (sources[i] == s) return factors[i];
    return 0;
  }

  public long perEpoch() { return total / size; }

  public Epoch epoch(long number) {
    var pieces = new Pieces();
    var drawn = key.fold("shards").fold(number);
    if (resampled) {
      double[] ends = new double[counts.length];
      double sum = 0;
      for (int i = 0; i < counts.length; i++) ends[i] = sum += counts[i] == 0 ? 0 : factors[i];
      for (long i = 0; pieces.sum < total; i++) {
        int at = Arrays.binarySearch(ends, drawn.uniform(i) * sum);
        at = Math.min(at < 0 ? -at - 1 : at + 1, counts.length - 1);
        pieces.add(at, Math.min(counts[at], total - pieces.sum));
      }
    } else {
      var base = base(number);
      for (long cycle = 0; pieces.sum < total; cycle++)
        for (int i = 0; i < base.n && pieces.sum < total; i++) {
          int at = (int) permuted(i, base.n, drawn.fold(cycle));
          pieces.add(base.shard[at], Math.min(base.count[at], total - pieces.sum));
        }
    }
    long[] start = new long[pieces.n + 1];
    for (int i = 0; i < pieces.n; i++) start[i + 1] = start[i] + pieces.count[i];
    return new Epoch(number, Arrays.copyOf(pieces.shard, pieces.n), start);
  }

  /// Every shard as often as its factor says; of the rest of a factor, shards of the source in an order of the epoch's
  /// own until there are enough.
  private Pieces base(long epoch) {
    var r = new Pieces();
    for (int s = 0; s <= Arrays.stream(sources).max().orElse(-1); s++) {
      int source = s;
      int[] own = IntStream.range(0, counts.length).filter(i -> sources[i] == source).toArray();
      if (own.length == 0) continue;
      double f = factors[own[0]];
      for (int copy = 0; copy < (long) f; copy++) for (int i : own) r.add(i, counts[i]);
      long rest = Math.round((f - Math.floor(f)) * count(counts, sources, s));
      for (int i = 0; rest > 0; i++) {
        int at = own[(int) permuted(i, own.length, key.fold("part").fold(epoch).fold(s))];
        long n = Math.min(rest, counts[at]);
        r.add(at, n);
        rest -= n;
      }
    }
    return r;
  }

  private static final class Pieces {
    private int[] shard = new int[16];
    private long[] count = new long[16];
    private int n;
    private long sum;

    void add(int which, long samples) {
      if (samples == 0) return;
      if (n == shard.length) {
        shard = Arrays.copyOf(shard, 2 * n);
        count = Arrays.copyOf(count, 2 * n);
      }
      shard[n] = which;
      count[n++] = samples;
      sum += samples;
    }
  }

  /// @param step   within the epoch
  /// @param sample within the step
  public Place place(Epoch epoch, long step, int sample) {
    int each = size / lanes, lane = sample / each;
    long i = step * each + sample % each, from = cut(lane), length = cut(lane + 1) - from, w = i / window;
    long at = from + w * window + permuted(i - w * window, Math.min(window, length - w * window),
        key.fold("window").fold(epoch.number).fold(lane).fold(w));
    int piece = Arrays.binarySearch(epoch.start, at);
    if (piece < 0) piece = -piece - 2;
    return new Place(epoch.shard[piece], at - epoch.start[piece]);
  }

  private long cut(long lane) { return total / lanes * lane + total % lanes * lane / lanes; }

  /// Position `i` of a permutation of 0 … n−1 without a table: a Feistel network over the next power of four, walked
  /// until it falls inside (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002).
  static long permuted(long i, long n, Random key) {
    if (n == 1) return 0;
    int half = Math.max(1, (65 - Long.numberOfLeadingZeros(n - 1)) / 2);
    long mask = (1L << half) - 1, x = i;
    do {
      long l = x >>> half, r = x & mask;
      for (int round = 0; round < ROUNDS; round++) {
        long t = l ^ key.bits((long) round << 32 | r) & mask;
        l = r;
        r = t;
      }
      x = l << half | r;
    } while (x >= n);
    return x;
  }

  /// The largest number of lanes up to 256 that divides a step.
  public static int lanes(int size) {
    for (int l = Math.min(256, size); ; l--) if (size % l == 0) return l;
  }
}
