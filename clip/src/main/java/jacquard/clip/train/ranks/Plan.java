package jacquard.clip.train.ranks;

import jacquard.autograd.Parameters;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.Compute;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.Loop;
import jacquard.clip.train.Optimization;
import jacquard.clip.train.task.Match;
import jacquard.clip.train.task.Rows;
import jacquard.clip.train.task.Sharded;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Group;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/// What a step of a contrastive training takes of each rank, found by taking it on a device that only counts, with few
/// and with many pairs of captions of full length. The most that a step holds is the larger of two straight lines: that
/// of few pairs, where gradients and moves are largest, and that of many, where what backward needs is.
///
/// @param weights,moments bytes that live from step to step
/// @param few,many        what a step adds to them
/// @param operations      multiplications and additions of a pair, forwards and backwards
/// @param launches        ops of a step
public record Plan(long weights, long moments, Line few, Line many, double operations, long launches) {
  private static final int FEW = 2, MANY = 32;

  /// @param fixed bytes whatever the batch
  /// @param pair  bytes of each pair
  record Line(double fixed, double pair) {
    private static Line through(int pairs, long bytes, long bytesOfTwice) {
      return new Line(2.0 * bytes - bytesOfTwice, (bytesOfTwice - bytes) / (double) pairs);
    }
    private double at(double pairs) { return fixed + pair * pairs; }
  }

  private record Step(long weights, long moments, long peak, double operations, long launches) {}

  /// @param ranks of which one is looked at
  public static Plan of(ClipConfig config, Match.Loss loss, Optimization how, Compute compute, int ranks,
      Sharding sharding) {
    var all = IntStream.of(FEW, 2 * FEW, MANY, 2 * MANY)
        .mapToObj(pairs -> step(config, loss, how, compute, ranks, sharding, pairs)).toList();
    var first = all.getFirst();
    return new Plan(first.weights, first.moments, Line.through(FEW, first.peak, all.get(1).peak),
        Line.through(MANY, all.get(2).peak, all.get(3).peak),
        (all.get(1).operations - first.operations) / FEW, first.launches);
  }

  /// The most bytes that a rank holds at a time, with so many pairs a rank and micro-batch.
  public double bytes(int pairs) { return weights + moments + Math.max(few.at(pairs), many.at(pairs)); }

  /// The most pairs that fit into so many bytes; 0 where none do.
  public long pairs(double bytes) {
    double left = bytes - weights - moments;
    return (long) Math.max(0, Math.min(Math.floor((left - few.fixed) / few.pair),
        Math.floor((left - many.fixed) / many.pair)));
  }

  private static Step step(ClipConfig config, Match.Loss loss, Optimization how, Compute compute, int ranks,
      Sharding sharding, int pairs) {
    var device = new Dry();
    var group = ranks == 1 ? Group.ALONE : new OneOfMany(ranks);
    return ScopedValue.where(Group.CURRENT, group).call(() -> {
      try (var _ = Scope.open(device)) {
        Task task = new Match(Parameters.map(ClipModel.describe(config), (_, t) -> Tensor.empty(t.type())), loss);
        if (sharding == Sharding.ALL && ranks > 1) task = Sharded.of(task, new Rows(group));
        long weights = device.bytes();
        var parts = sharding.moments() && ranks > 1
            ? Moments.of(task, new Rows(group), sharding == Sharding.GRADIENTS) : null;
        var optimizer = how.over(task, parts == null ? task.parameters() : parts.parameters());
        long moments = device.bytes() - weights;
        device.again();
        try (var _ = Scope.open()) {
          var pass = task.under(compute.pass(Random.of(0)));
          var move = parts == null ? Loop.Move.by(optimizer) : parts.around(optimizer);
          var moved = move.of(0, 1);
          if (ranks == 1 && how.clip() <= 0) Gradients.streamed(task, batch(config, pairs), pass, moved);
          else moved.accept(Gradients.of(task, batch(config, pairs), 1, pass, move.kept()).gradients());
        }
        return new Step(weights, moments, device.peak() - weights - moments, device.operations(), device.launches());
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
