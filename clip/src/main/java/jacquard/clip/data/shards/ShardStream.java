package jacquard.clip.data.shards;

import jacquard.clip.data.Preparation;
import jacquard.clip.data.Stream;
import jacquard.tensor.Random;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// The pairs of [Shards] as a stream, in the order that [Order] says. Ranks take their pieces of a step's lanes, so
/// that each reads its own shards forwards, and what they read together does not depend on how many they are.
public final class ShardStream implements Stream.Numbered {
  private final Shards shards;
  private final Order order;
  private final String words;
  private final Preparation preparation;
  /// The epochs last asked for: while one ends, batches of the next are read ahead.
  private final List<Order.Epoch> epochs = new ArrayList<>();

  /// @param size        pairs a step, of all ranks
  /// @param preparation from the key of all draws what makes batches
  /// @throws IllegalArgumentException if an epoch has fewer than a step's pairs
  public ShardStream(Shards shards, Shards.Epochs how, int size, long seed, Function<Random, Preparation> preparation) {
    var key = Random.of(seed).fold("data");
    this.shards = shards;
    this.order = shards.order(how, size, key);
    this.preparation = preparation.apply(key);
    if (order.total() < size)
      throw new IllegalArgumentException("an epoch of " + shards.name() + " has " + order.total()
          + " pairs, fewer than a step's " + size);
    words = (order.lanes() == 1 ? "one lane" : order.lanes() + " lanes") + (order.window() >= order.total() ? ""
        : ", windows of " + order.window()) + (how.total() > 0 ? ", epochs of " + how.total() : "")
        + (how.resampled() ? ", shards drawn" : "") + shards.factors();
  }

  @Override public String name() { return shards.name(); }
  @Override public int size() { return order.size(); }
  @Override public long perEpoch() { return order.perEpoch(); }
  @Override public Map<String, String> order() { return Map.of("order", words); }
  @Override public Fingerprint fingerprint() { return shards.fingerprint(); }
  @Override public String firstFailure() { return preparation.firstFailure(); }

  @Override public List<String> notes() {
    var r = new ArrayList<>(shards.notes());
    r.addAll(preparation.notes());
    return r;
  }

  /// The numbers of a step's samples, in their order.
  @Override public long[] numbers(long step, int rank, int ranks, int parts) {
    var epoch = epoch(step / perEpoch());
    return Stream.share(size(), rank, ranks, parts)
        .mapToLong(i -> shards.number(order.place(epoch, step % perEpoch(), i))).toArray();
  }

  @Override public Preparation preparation() { return preparation; }
  @Override public Preparation.Pairs pairs() { return shards::pair; }

  private Order.Epoch epoch(long number) {
    synchronized (epochs) {
      for (var e : epochs) if (e.number() == number) return e;
      if (epochs.size() == 2) epochs.removeFirst();
      epochs.add(order.epoch(number));
      return epochs.getLast();
    }
  }
}
