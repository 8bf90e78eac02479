package jacquard.tests.ranks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.Compute;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.Loop;
import jacquard.clip.train.Optimization;
import jacquard.clip.train.parameter.Rates;
import jacquard.clip.train.ranks.Moments;
import jacquard.clip.train.ranks.Offload;
import jacquard.clip.train.ranks.Plan;
import jacquard.clip.train.ranks.Sharding;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.train.task.Rows;
import jacquard.clip.train.task.Sharded;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Device;
import jacquard.tensor.Group;
import jacquard.tensor.Precision;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What is foretold of a step, beside what the CPU was asked for.
@Timeout(60)
class PlanTest {
  private static final String TEXT =
      "\"text_cfg\": {\"context_length\": 16, \"vocab_size\": 2000, \"width\": 32, \"heads\": 2, \"layers\": 2}}";
  private static final String VIT = "{\"embed_dim\": 32, \"vision_cfg\": {\"image_size\": 64, \"layers\": 3, "
      + "\"width\": 64, \"head_width\": 16, \"patch_size\": 16}, " + TEXT;
  private static final String DEEP = "{\"embed_dim\": 32, \"vision_cfg\": {\"image_size\": 32, \"layers\": 6, "
      + "\"width\": 96, \"head_width\": 32, \"patch_size\": 8}, " + TEXT;
  private static final String RESNET = "{\"embed_dim\": 32, \"vision_cfg\": {\"image_size\": 64, \"layers\": "
      + "[1, 1, 1, 1], \"width\": 16}, " + TEXT;

  private static Optimization how(double clip) {
    return new Optimization(new Optimizer.AdamW(0.9, 0.98, 1e-6), new Schedule.Constant(1e-3, 0), Rates.decayed(0.2),
        clip, 1);
  }

  /// The most bytes that each rank's tensors held in a step.
  private static List<Long> measured(ClipConfig config, Compute compute, int ranks, int pairs) {
    return measured(config, compute, ranks, pairs, null);
  }

  /// @param host of an optimizer there
  private static List<Long> measured(ClipConfig config, Compute compute, int ranks, int pairs, Scope host) {
    var devices = IntStream.range(0, ranks).mapToObj(Noting::new).toList();
    return Group.run(List.copyOf(devices), group -> {
      var device = devices.get(group.rank());
      var rows = new Rows(group);
      Task whole = new Contrastive(ClipModel.create(config, 1), Contrastive.Loss.SOFTMAX),
          task = compute.sharding() == Sharding.ALL ? Sharded.of(whole, rows) : whole;
      var moments = !compute.sharding().moments() ? null
          : Moments.of(task, rows, compute.sharding() == Sharding.GRADIENTS);
      var parameters = moments == null ? task.parameters() : moments.parameters();
      var away = compute.offload() ? new Offload(parameters, host) : null;
      var optimizer = away == null ? how(1).over(task, parameters) : away.optimizer(p -> how(1).over(task, p));
      var own = away == null ? Loop.Move.by(optimizer) : away.around(optimizer);
      var move = moments == null ? own : moments.around(own);
      var grid = config.vision().input();
      var random = new java.util.Random(1 + group.rank());
      float[] pixels = new float[pairs * grid.size() * 3];
      for (int i = 0; i < pixels.length; i++) pixels[i] = random.nextFloat();
      int[][] tokens = new int[pairs][16];
      for (int[] t : tokens) {
        Arrays.setAll(t, _ -> random.nextInt(1, 1999));
        t[15] = 1999;
      }
      device.again();
      try (var _ = Scope.open()) {
        var pass = task.under(compute.pass(Random.of(1)));
        move.of(1e-3, 1).accept(Gradients.of(task, Batch.of(pixels, grid, tokens), 1, pass, move.kept()).gradients());
      }
      return device.peak();
    });
  }

  /// With the optimizer on the host: of the device, and of the host.
  private static List<Long> away(ClipConfig config, Sharding sharding, int ranks, int pairs) {
    var there = new Noting(ranks);
    there.again();
    try (var host = Scope.detached(there)) {
      var compute = new Compute(List.of(new Noting(0)), Precision.FP32, false, sharding, false, true);
      return List.of(measured(config, compute, ranks, pairs, host).getFirst(), there.peak());
    }
  }

  /// Moments are no more on the device, and on the host with the copies and what is under way.
  @Test void anOptimizerOnTheHost() {
    var config = ClipConfig.parse(DEEP);
    var sharding = Sharding.NONE;
    var compute = new Compute(List.of(new Noting(0)), Precision.FP32, false, sharding, false, true);
    Plan plan = Plan.of(config, Contrastive.Loss.SOFTMAX, how(1), compute, 1, sharding),
        usual = Plan.of(config, Contrastive.Loss.SOFTMAX, how(1), Compute.on(Device.named("cpu")), 1, sharding);
    assertEquals(0, plan.moments());
    assertEquals(0, usual.host());
    assertTrue(plan.host() >= 3L * plan.weights() && plan.host() <= 4.01 * plan.weights(), plan.host() + " bytes");
    var seen = away(config, sharding, 1, 8);
    assertEquals(seen.getFirst(), plan.bytes(8), 0.1 * seen.getFirst());
    assertEquals(seen.getLast(), plan.host(), 0.01 * seen.getLast());
    // what came from a CPU's options changes nothing there
    var cpu = new Compute(List.of(Device.named("cpu")), Precision.FP32, false, sharding, false, true);
    assertEquals(usual, Plan.of(config, Contrastive.Loss.SOFTMAX, how(1), cpu, 1, sharding));
  }

  /// Three models, kept and made again, alone and as two ranks in each mode. What the CPU's kernels hold beside tensors
  /// is not counted on either side.
  @ParameterizedTest @ValueSource(strings = {VIT, DEEP, RESNET}) void theMemoryOfAStep(String json) {
    var config = ClipConfig.parse(json);
    for (boolean recompute : new boolean[] {false, true})
      for (var sharding : Sharding.values()) {
        var compute = new Compute(List.of(Device.named("cpu")), Precision.FP32, recompute, sharding);
        for (int ranks : sharding == Sharding.NONE ? new int[] {1, 2} : new int[] {2}) {
          var plan = Plan.of(config, Contrastive.Loss.SOFTMAX, how(1), compute, ranks, sharding);
          for (int pairs : new int[] {8, 32})
            for (long seen : measured(config, compute, ranks, pairs))
              assertEquals(seen, plan.bytes(pairs), 0.1 * seen, "%s, %d ranks, again %s, %d pairs".formatted(sharding,
                  ranks, recompute, pairs));
        }
      }
  }

  /// Rows are an R-th; small tensors stay whole. A step's operations do not change but for the loss.
  @Test void ranksHoldTheirRows() {
    var config = ClipConfig.parse(VIT);
    var compute = Compute.on(Device.named("cpu"));
    Plan all = Plan.of(config, Contrastive.Loss.SOFTMAX, how(0), compute, 4, Sharding.NONE),
        moments = Plan.of(config, Contrastive.Loss.SOFTMAX, how(0), compute, 4, Sharding.MOMENTS),
        rows = Plan.of(config, Contrastive.Loss.SOFTMAX, how(0), compute, 4, Sharding.ALL);
    assertEquals(all.weights() * 2, all.moments());
    assertEquals(all.weights(), moments.weights());
    assertTrue(moments.moments() < 0.3 * all.moments() && rows.moments() == moments.moments());
    assertTrue(rows.weights() < 0.3 * all.weights(), rows.weights() + " of " + all.weights());
    assertTrue(rows.bytes(16) < moments.bytes(16) && moments.bytes(16) < all.bytes(16));
    assertEquals(all.operations(), rows.operations(), 1e-3 * all.operations());
    assertEquals(0, Device.named("cpu").live().blocks());
  }
}
