package jacquard.tests.ranks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Grad;
import jacquard.clip.loss.ContrastiveLoss;
import jacquard.clip.loss.DistillLoss;
import jacquard.clip.loss.OwnRows;
import jacquard.tensor.Device;
import jacquard.tensor.Group;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Collective;
import jacquard.tests.Draw;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The parts that ranks compute of a loss add up to that of one rank with the joined batch, and so do their gradients.
@Timeout(60)
class OwnRowsTest {
  private static final int WIDTH = 24;

  /// Value, then gradients of pictures, captions, scale and bias.
  private record Outcome(double value, List<float[]> gradients) {}

  private static List<Tensor> inputs(int n, int from, int to) {
    var x = Draw.uniform(1, Shape.of(n, WIDTH), -1, 1).normalize().slice(0, from, to).dense();
    var t = Draw.uniform(2, Shape.of(n, WIDTH), -1, 1).normalize().slice(0, from, to).dense();
    return List.of(x, t, Tensor.scalar(14), Tensor.scalar(-3));
  }

  /// A teacher of another width.
  private static List<Tensor> teacher(int n, int from, int to) {
    return List.of(Draw.uniform(3, Shape.of(n, 7), -1, 1).normalize().slice(0, from, to).dense(),
        Draw.uniform(4, Shape.of(n, 7), -1, 1).normalize().slice(0, from, to).dense());
  }

  private static Outcome joined(String loss, int[] groups) {
    int n = groups.length;
    return Group.run(List.of(Device.named("cpu")), _ -> outcome(Grad.vjp(inputs(n, 0, n), in -> List.of(switch (loss) {
      case "softmax" -> ContrastiveLoss.softmax(in.get(0), in.get(1), in.get(2), groups);
      case "sigmoid" -> ContrastiveLoss.sigmoid(in.get(0), in.get(1), in.get(2), in.get(3), groups);
      default -> DistillLoss.of(new DistillLoss.Seen(in.get(0), in.get(1), in.get(2)),
          new DistillLoss.Seen(teacher(n, 0, n).get(0), teacher(n, 0, n).get(1), Tensor.scalar(9)));
    }), _ -> List.of(Tensor.scalar(1))))).getFirst();
  }

  private static Outcome outcome(Grad.Vjps v) {
    return new Outcome(v.values().getFirst().item(),
        v.gradients().stream().map(g -> g == null ? new float[1] : g.floats()).toList());
  }

  private static List<Outcome> parts(String loss, int[] groups, int[] rows) {
    return Group.run(CollectivesTest.devices("cpu", rows.length), g -> {
      int n = groups.length, from = Arrays.stream(rows, 0, g.rank()).sum(), to = from + rows[g.rank()];
      return outcome(Grad.vjp(inputs(n, from, to), in -> {
        var own = rows(in, g, rows, from, groups);
        return List.of(switch (loss) {
          case "softmax" -> own.softmax(in.get(2));
          case "sigmoid" -> own.sigmoid(in.get(2), in.get(3));
          default -> own.distilled(in.get(2), rows(teacher(n, from, to), g, rows, from, groups), Tensor.scalar(9));
        });
      }, _ -> List.of(Tensor.scalar(1))));
    });
  }

  private static OwnRows rows(List<Tensor> in, Group g, int[] rows, int from, int[] groups) {
    var gather = new Collective.AllGather(g, rows);
    return new OwnRows(in.get(0), in.get(1), Tensor.apply(gather, in.get(0)), Tensor.apply(gather, in.get(1)), from,
        groups);
  }

  /// Even and ragged ranks, captions that occur once, twice or more often, over ranks too; more rows than are held at
  /// a time. A value is a mean of n terms of size 15 in F32, a gradient a sum of n terms of at most 14/n:
  /// 8·√n·2⁻²⁴·15 is 1e-4 and 8·2⁻²⁴·14·√n/n·√n is 7e-6.
  @ParameterizedTest @CsvSource({"softmax,13,0", "softmax,13,1", "softmax,600,1", "sigmoid,13,0", "sigmoid,13,1",
      "sigmoid,600,1", "distill,13,0", "distill,290,0"})
  void partsAddUpToTheJoinedLoss(String loss, int n, int repeats) {
    int[] groups = new int[n];
    for (int i = 0; i < n; i++) groups[i] = repeats == 0 ? i : i * i % 11 % 7;
    var one = joined(loss, groups);
    for (int[] rows : new int[][] {{n / 2, n - n / 2}, {1, n - 4, 1, 2}, {n}}) {
      var many = parts(loss, groups, rows);
      assertEquals(one.value, many.stream().mapToDouble(Outcome::value).sum(), 1e-5 * Math.max(1, Math.abs(one.value)));
      for (int i = 0; i < 4; i++) {
        float[] sum = i < 2 ? concat(many, i) : add(many, i);
        float largest = 0;
        for (float v : one.gradients.get(i)) largest = Math.max(largest, Math.abs(v));
        assertArrayEquals(one.gradients.get(i), sum, 7e-6f * Math.max(1, largest), loss + ", input " + i);
      }
    }
  }

  private static float[] concat(List<Outcome> all, int input) {
    var r = new ArrayList<Float>();
    for (var o : all) for (float v : o.gradients.get(input)) r.add(v);
    float[] a = new float[r.size()];
    for (int i = 0; i < a.length; i++) a[i] = r.get(i);
    return a;
  }

  private static float[] add(List<Outcome> all, int input) {
    float[] r = new float[1];
    for (var o : all) r[0] += o.gradients.get(input)[0];
    return r;
  }

  /// What a rank holds does not grow with its rows: 2,048 of them against 2,048 take the memory of 256, beyond inputs
  /// and gradients.
  @Test void aFewRowsAreHeldAtATime() {
    int n = 2048;
    int[] each = new int[n];
    Arrays.setAll(each, i -> i);
    var device = Device.named("cpu");
    try (var _ = Scope.open(device)) {
      var in = inputs(n, 0, n);
      long before = device.live().bytes();
      var part = Grad.valueAndGrad(jacquard.autograd.Parameters.of(new Pair(in.get(0), in.get(1))), () -> {
        var loss = new OwnRows(in.get(0), in.get(1), in.get(0), in.get(1), 0, each).softmax(in.get(2));
        long kept = device.live().bytes() - before;
        assertTrue(kept < 4L * n * 256 * 4, "the forward keeps " + kept + " bytes");
        return loss;
      });
      assertTrue(part.value().item() > 0);
    }
  }

  record Pair(Tensor x, Tensor t) {}
}
