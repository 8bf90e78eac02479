package jacquard.tests.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.data.Stream;
import jacquard.clip.data.shards.Order;
import jacquard.tensor.Random;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/// The order of shards for any sizes of shards, lanes, windows and numbers of ranks.
class ShardOrderTest {
  private static Order order(List<Integer> counts, int lanes, int each, long window, long seed) {
    long[] c = counts.stream().mapToLong(i -> i).toArray();
    double[] factors = new double[c.length];
    Arrays.fill(factors, 1);
    return new Order(c, factors, new int[c.length], Arrays.stream(c).sum(), false, lanes * each, lanes, window,
        Random.of(seed));
  }

  private static List<Order.Place> step(Order o, long epoch, long step, int rank, int ranks, int parts) {
    var e = o.epoch(epoch);
    return Stream.share(o.size(), rank, ranks, parts).mapToObj(i -> o.place(e, step, i)).toList();
  }

  @Property(tries = 60)
  void everySampleOnceAnEpoch(@ForAll @Size(min = 1, max = 30) List<@IntRange(max = 200) Integer> counts,
      @ForAll @IntRange(min = 1, max = 8) int lanes,
      @ForAll @IntRange(min = 1, max = 6) int each, @ForAll @IntRange(min = 1, max = 100) int window, @ForAll long seed,
          @ForAll @IntRange(max = 3) int epoch) {
    var o = order(counts, lanes, each, window, seed);
    var seen = new HashSet<Order.Place>();
    for (long s = 0; s < o.perEpoch(); s++)
      for (var p : step(o, epoch, s, 0, 1, 1)) {
        assertTrue(p.sample() >= 0 && p.sample() < counts.get(p.shard()), p::toString);
        assertTrue(seen.add(p), () -> p + " twice");
      }
    assertEquals(o.total() - o.total() % o.size(), seen.size());
  }

  @Property(tries = 60)
  void theJoinedBatchIsThatOfOneRank(@ForAll @Size(min = 1, max = 12) List<@IntRange(min = 20, max =
      200) Integer> counts, @ForAll @IntRange(min = 1, max = 8) int lanes,
      @ForAll @IntRange(min = 1, max = 3) int each, @ForAll @IntRange(min = 1, max = 7) int ranks,
      @ForAll @IntRange(min = 1, max = 3) int parts, @ForAll long seed) {
    var o = order(counts, lanes, each, 16, seed);
    if (o.perEpoch() == 0) return;
    long at = Math.floorMod(seed, o.perEpoch());
    var joined = new ArrayList<Order.Place>();
    for (int p = 0; p < parts; p++)
      for (int r = 0; r < ranks; r++) {
        var own = step(o, 1, at, r, ranks, parts);
        int from = 0;
        for (int q = 0; q < p; q++) from += share(o.size(), r, ranks, parts, q);
        joined.addAll(own.subList(from, from + share(o.size(), r, ranks, parts, p)));
      }
    assertEquals(step(o, 1, at, 0, 1, 1), joined);
  }

  private static int share(int size, int rank, int ranks, int parts, int p) {
    int count = size * (p + 1) / parts - size * p / parts;
    return count * (rank + 1) / ranks - count * rank / ranks;
  }

  @Property(tries = 20)
  void epochsAndSeedsDifferAndEqualOnesDoNot(@ForAll @Size(min = 3, max = 12) List<@IntRange(min = 20, max =
      200) Integer> counts, @ForAll @IntRange(max = 1) int many, @ForAll long seed) {
    int lanes = 1 + 3 * many;
    var o = order(counts, lanes, 8, many == 0 ? Long.MAX_VALUE : 16, seed);
    assertEquals(step(o, 2, 0, 0, 1, 1),
        step(order(counts, lanes, 8, many == 0 ? Long.MAX_VALUE : 16, seed), 2, 0, 0, 1, 1));
    assertFalse(step(o, 2, 0, 0, 1, 1).equals(step(o, 3, 0, 0, 1, 1)));
    assertFalse(step(o, 2, 0, 0, 1, 1)
        .equals(step(order(counts, lanes, 8, many == 0 ? Long.MAX_VALUE : 16, seed + 1), 2, 0, 0, 1, 1)));
  }

  /// With one lane and one window a sample comes as far from its place as chance has it: a third of the epoch.
  @Test void oneWindowMixesAll() {
    var o = order(List.of(1000, 1000, 1000, 1000), 1, 1, Long.MAX_VALUE, 3);
    var e = o.epoch(0);
    double sum = 0;
    for (int s = 0; s < 4000; s++) {
      var p = o.place(e, s, 0);
      sum += Math.abs(1000 * Arrays.stream(e.shard()).boxed().toList().indexOf(p.shard()) + p.sample() - s);
    }
    assertEquals(1 / 3., sum / 4000 / 4000, 0.02);
  }

  /// A factor of 2.5 is all samples twice and half of them once more; without it all once.
  @Test void factorsCountExactly() {
    long[] counts = {10, 7, 3, 20, 5};
    int[] sources = {0, 0, 0, 1, 1};
    double[] factors = {2.5, 2.5, 2.5, 1, 1};
    long total = Order.natural(counts, factors, sources);
    assertEquals(2 * 20 + 10 + 25, total);
    for (long epoch = 0; epoch < 3; epoch++) {
      var o = new Order(counts, factors, sources, total, false, 5, 5, 4, Random.of(1));
      var times = new HashMap<Order.Place, Integer>();
      for (long s = 0; s < o.perEpoch(); s++) for (var p : step(o, epoch, s, 0, 1, 1)) times.merge(p, 1, Integer::sum);
      assertEquals(10, times.entrySet().stream().filter(t -> t.getKey().shard() < 3 && t.getValue() == 3).count());
      assertEquals(10, times.entrySet().stream().filter(t -> t.getKey().shard() < 3 && t.getValue() == 2).count());
      assertEquals(25, times.entrySet().stream().filter(t -> t.getKey().shard() >= 3 && t.getValue() == 1).count());
    }
  }

  /// An epoch of more samples than there are begins again; one of fewer takes other shards each time.
  @Test void epochsOfAGivenSize() {
    long[] counts = {10, 10, 10};
    var more = new Order(counts, new double[] {1, 1, 1}, new int[3], 45, false, 5, 1, Long.MAX_VALUE, Random.of(1));
    var times = new HashMap<Order.Place, Integer>();
    for (long s = 0; s < more.perEpoch(); s++) for (var p : step(more, 0, s, 0, 1, 1)) times.merge(p, 1, Integer::sum);
    assertEquals(30, times.size());
    assertEquals(15, times.values().stream().filter(t -> t == 2).count());
    var fewer = new Order(counts, new double[] {1, 1, 1}, new int[3], 10, false, 5, 1, Long.MAX_VALUE, Random.of(1));
    var shards = new HashSet<Integer>();
    for (long e = 0; e < 20; e++) shards.add(fewer.epoch(e).shard()[0]);
    assertEquals(3, shards.size());
  }

  /// Shards are drawn by their weights: of 10,000 draws of shards that weigh 3 and 1, three quarters are of the first
  /// kind.
  @Test void drawnShardsFollowTheirWeights() {
    var o = new Order(new long[] {1, 1, 0, 1}, new double[] {3, 3, 9, 2}, new int[] {0, 0, 1, 2}, 10_000, true, 10, 1,
        Long.MAX_VALUE, Random.of(5));
    var e = o.epoch(0);
    assertEquals(0.75, Arrays.stream(e.shard()).filter(s -> s < 2).count() / 10_000., 0.02);
    assertTrue(Arrays.stream(e.shard()).noneMatch(s -> s == 2));
  }

  @Test void lanesDivideTheStep() {
    assertEquals(256, Order.lanes(512));
    assertEquals(250, Order.lanes(1000));
    assertEquals(1, Order.lanes(257));
    assertEquals(7, Order.lanes(7));
  }
}
