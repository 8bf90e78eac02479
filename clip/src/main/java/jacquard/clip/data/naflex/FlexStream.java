package jacquard.clip.data.naflex;

import jacquard.clip.data.Batch;
import jacquard.clip.data.Batches;
import jacquard.clip.data.Framing;
import jacquard.clip.data.Stream;
import jacquard.clip.image.PatchFrame;
import jacquard.tensor.Random;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Pictures at their own proportions, in steps of as many as a [Budget] has tokens for. Which sample comes next another
/// stream says.
public final class FlexStream implements Stream {
  private final Numbered samples;
  private final Budget budget;
  private final int shares;
  private final Weight weight;
  private final Framing.Whole framing;
  private final PatchSchedule schedule;
  private final Random key;
  private final List<Epoch> epochs = new ArrayList<>();

  /// What a step's loss is multiplied by: nothing, or how many pictures it has of the nominal number, or the root of
  /// that.
  public enum Scale { NONE, LINEAR, SQRT }

  /// @param nominal pictures of a share that count as one
  public record Weight(Scale scale, int nominal) {
    public static final Weight NONE = new Weight(Scale.NONE, 1);

    double of(int count) {
      double share = (double) count / nominal;
      return switch (scale) {
        case NONE -> 1;
        case LINEAR -> share;
        case SQRT -> Math.sqrt(share);
      };
    }
  }

  /// The steps of an epoch in its order, and how many samples of a share come before each; before the last, all.
  private record Epoch(long number, PatchSchedule.Step[] steps, long[] before) {}

  /// @param samples in steps of their own, as short as can be
  /// @param shares  ranks times micro-batches; each has the budget's tokens
  /// @param framing what is done to pictures but for their size
  public FlexStream(Numbered samples, Budget budget, Framing.Whole framing, int shares, Weight weight, long seed) {
    this.samples = samples;
    this.budget = budget;
    this.framing = framing;
    this.shares = shares;
    this.weight = weight;
    this.key = key(seed);
    long own = total() / shares;
    if (own == 0) throw new IllegalArgumentException("an epoch of " + total() + " pairs is less than one for each of "
        + shares + " ranks and micro-batches");
    this.schedule = schedule(budget, own, seed);
  }

  private static Random key(long seed) { return Random.of(seed).fold("naflex"); }

  /// The steps of an epoch in which each share has so many samples.
  public static PatchSchedule schedule(Budget budget, long samples,
      long seed) { return PatchSchedule.of(budget, samples, key(seed).fold("lengths")); }

  private long total() { return samples.perEpoch() * samples.size(); }

  /// The largest step's.
  @Override public int size() { return shares * schedule.steps().stream().mapToInt(PatchSchedule.Step::count).max()
      .orElse(0); }
  @Override public int size(long step) { return shares * step(step).count(); }
  @Override public long perEpoch() { return schedule.steps().size(); }
  @Override public Fingerprint fingerprint() { return samples.fingerprint(); }
  @Override public List<String> notes() { return samples.notes(); }
  @Override public String firstFailure() { return samples.firstFailure(); }

  @Override public long before(long step) {
    return shares * (step / perEpoch() * schedule.samples() + epoch(step / perEpoch())
        .before[(int) (step % perEpoch())]);
  }

  @Override public Map<String, String> order() {
    var r = new LinkedHashMap<>(samples.order());
    r.put("naflex", budget.words(shares));
    return r;
  }

  @Override public double weight(long step) { return weight.of(step(step).count()); }

  @Override public Batch at(long step, int rank, int ranks, int parts) {
    int side = budget.sides().get(Budget.drawn(budget.sideChances(), key.fold("sides").uniform(step)));
    var frame = new PatchFrame(side, step(step).length());
    return samples.preparation().batch(step, numbers(step, rank, ranks, parts), samples.pairs(),
        new Framing.Flexible(framing.transform(), framing.augmentation(), frame));
  }

  /// The numbers of a step's samples, in their order. Epochs of samples begin with the first of their order; those of
  /// patches go on where the last ended.
  public long[] numbers(long step, int rank, int ranks, int parts) {
    long number = step / perEpoch(), within = shares * epoch(number).before[(int) (step % perEpoch())];
    long first = budget.perEpoch() > 0 ? number * shares * schedule.samples() + within : number * total() + within;
    var read = new HashMap<Long, long[]>();
    return Stream.share(size(step), rank, ranks, parts).mapToLong(i -> {
      long at = first + i;
      return read.computeIfAbsent(at / samples.size(), s -> samples.numbers(s, 0, 1, 1))[(int) (at % samples.size())];
    }).toArray();
  }

  private PatchSchedule.Step step(long step) { return epoch(step / perEpoch()).steps[(int) (step % perEpoch())]; }

  private Epoch epoch(long number) {
    synchronized (epochs) {
      for (var e : epochs) if (e.number == number) return e;
      if (epochs.size() == 2) epochs.removeFirst();
      int n = schedule.steps().size();
      int[] order = Batches.shuffled(n, key.fold("order").fold(number));
      var steps = new PatchSchedule.Step[n];
      long[] before = new long[n + 1];
      for (int i = 0; i < n; i++) {
        steps[i] = schedule.steps().get(order[i]);
        before[i + 1] = before[i] + steps[i].count();
      }
      epochs.add(new Epoch(number, steps, before));
      return epochs.getLast();
    }
  }
}
