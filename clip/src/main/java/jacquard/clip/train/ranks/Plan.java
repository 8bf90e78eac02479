package jacquard.clip.train.ranks;

import jacquard.autograd.Parameters;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.Compute;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.Loop;
import jacquard.clip.train.Optimization;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.train.task.Rows;
import jacquard.clip.train.task.Sharded;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Group;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/// What a step of a contrastive training takes of each rank, found by taking it on a device that only counts, with few
/// and with many pairs of captions of full length. The most that a step holds is the largest of straight lines: those
/// of few pairs, where gradients and moves are largest, and those of many, where what backward needs is.
///
/// @param weights,moments bytes that live from step to step
/// @param host            bytes in the memory of the host, where the optimizer lies there; else 0
/// @param lines           what a step adds to them
/// @param operations      multiplications and additions of a pair, forwards and backwards
/// @param launches        ops of a step
public record Plan(long weights, long moments, long host, List<Line> lines, double operations, long launches) {
  private static final int[] PAIRS = {2, 32, 128};
  /// Bytes of pictures that are not made for this.
  private static final int LARGE = 1 << 28;

  /// @param fixed bytes whatever the batch
  /// @param pair  bytes of each pair
  record Line(double fixed, double pair) {
    private static Line through(int pairs, long bytes, long bytesOfTwice) {
      return new Line(2.0 * bytes - bytesOfTwice, (bytesOfTwice - bytes) / (double) pairs);
    }
    private double at(double pairs) { return fixed + pair * pairs; }
  }

  private record Step(long weights, long moments, long host, long peak, double operations, long launches) {}

  /// @param ranks of which one is looked at
  public static Plan of(ClipConfig config, Contrastive.Loss loss, Optimization how, Compute compute, int ranks,
      Sharding sharding) {
    IntFunction<Step> taken = pairs -> step(config, loss, how, compute, ranks, sharding, pairs);
    Step first = taken.apply(PAIRS[0]), twice = taken.apply(2 * PAIRS[0]);
    int picture = 3 * Float.BYTES * config.vision().input().size();
    var lines = IntStream.of(PAIRS).filter(n -> 2L * n * picture < LARGE).mapToObj(n ->
        Line.through(n, taken.apply(n).peak, taken.apply(2 * n).peak)).toList();
    return new Plan(first.weights, first.moments, first.host, lines, (twice.operations - first.operations) / PAIRS[0],
        first.launches);
  }

  /// The most bytes that a rank holds at a time, with so many pairs a rank and micro-batch.
  public double bytes(int pairs) {
    return weights + moments + lines.stream().mapToDouble(l -> l.at(pairs)).max().orElse(0);
  }

  /// The most pairs that fit into so many bytes; 0 where none do.
  public long pairs(double bytes) {
    double left = bytes - weights - moments;
    return (long) Math.max(0, Math.floor(lines.stream().mapToDouble(l -> (left - l.fixed) / l.pair).min().orElse(0)));
  }

  private static Step step(ClipConfig config, Contrastive.Loss loss, Optimization how, Compute compute, int ranks,
      Sharding sharding, int pairs) {
    Dry device = new Dry(), host = new Dry();
    boolean offload = compute.offload() && !compute.devices().getFirst().onHost();
    var group = ranks == 1 ? Group.ALONE : new OneOfMany(ranks);
    return ScopedValue.where(Group.CURRENT, group).call(() -> {
      try (var _ = Scope.open(device); var beside = Scope.detached(host)) {
        Task task = new Contrastive(Parameters.map(ClipModel.describe(config), (_, t) -> Tensor.empty(t.type())), loss);
        if (sharding == Sharding.ALL && ranks > 1) task = Sharded.of(task, new Rows(group));
        long weights = device.bytes();
        var parts = sharding.moments() && ranks > 1
            ? Moments.of(task, new Rows(group), sharding == Sharding.GRADIENTS) : null;
        var parameters = parts == null ? task.parameters() : parts.parameters();
        var away = offload ? new Offload(parameters, beside) : null;
        Task of = task;
        var optimizer = away == null ? how.over(task, parameters) : away.optimizer(p -> how.over(of, p));
        long moments = device.bytes() - weights;
        device.again();
        try (var _ = Scope.open()) {
          var pass = task.under(compute.pass(Random.of(0)));
          var own = away == null ? Loop.Move.by(optimizer) : away.around(optimizer);
          var move = parts == null ? own : parts.around(own);
          var moved = move.of(0, 1);
          if (ranks == 1 && how.clip() <= 0) Gradients.streamed(task, batch(config, pairs), pass, moved);
          else moved.accept(Gradients.of(task, batch(config, pairs), 1, pass, move.kept()).gradients());
        }
        return new Step(weights, moments, host.peak(), device.peak() - weights - moments, device.operations(),
            device.launches());
      }
    });
  }

  private static Batch batch(ClipConfig config, int pairs) {
    var grid = config.vision().input();
    int[][] tokens = new int[pairs][config.text().input().context()];
    for (int[] t : tokens) {
      Arrays.fill(t, 1);
      // the end, which a text tower looks for
      t[t.length - 1] = config.text().vocabularySize() - 1;
    }
    return Batch.of(new float[pairs * grid.size() * 3], grid, tokens);
  }
}
