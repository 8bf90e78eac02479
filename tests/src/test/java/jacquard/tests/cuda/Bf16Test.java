package jacquard.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Grad;
import jacquard.kernels.cuda.driver.Emulation;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Ranges;
import jacquard.tests.Draw;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.TestAbortedException;

/// BF16 attention and contrastive losses on the GPU, or the emulated one, against a reference in double: forward and
/// gradients are at most twice as far from it, in relative L2, as the composition of simple BF16 ops is, which rounds
/// every intermediate.
class Bf16Test {
  @BeforeAll static void isThere() {
    var why = Device.unavailable().get("cuda");
    if (why != null) throw new TestAbortedException("no CUDA device: " + why);
  }

  private record Case(String name, int heads, int d, int e, Sequences queries, Sequences keys, Ranges ranges,
      boolean biased) {
    Attention op() {
      var op = new Attention(heads, (float) (1 / Math.sqrt(d)), queries, keys, ranges);
      return biased ? op.withBias() : op;
    }
    List<Tensor> draw() {
      var in = new ArrayList<Tensor>();
      int[][] shapes = {{queries.rows(), heads * d}, {keys.rows(), heads * d}, {keys.rows(), heads * e},
          {queries.rows(), heads * e}};
      for (int i = 0; i < 4; i++) in.add(Draw.uniform(i, Shape.of(shapes[i]), -1.7f, 1.7f).cast(DType.BF16));
      if (biased) in.add(3, Draw.uniform(9, Shape.of(heads, queries.longest() + 1, keys.longest() + 2), -1, 1));
      return in;
    }
  }

  private static Case full(int heads, int d, int e, int... lengths) {
    var s = Sequences.ofLengths(lengths);
    return new Case("full", heads, d, e, s, s, Ranges.full(s, s), false);
  }
  private static Case causal(int heads, int d, boolean biased, int... lengths) {
    var s = Sequences.ofLengths(lengths);
    return new Case("causal", heads, d, d, s, s, Ranges.causal(s, s), biased);
  }
  /// Each query sees a stretch of its own; some see nothing.
  private static Case stretches(int d, boolean biased, Sequences q, Sequences k) {
    int[] from = new int[q.rows()], to = new int[q.rows()];
    for (int s = 0; s < q.count(); s++)
      for (int i = q.from(s); i < q.to(s); i++) {
        from[i] = k.from(s) + i * 7 % k.length(s);
        to[i] = Math.min(k.to(s), from[i] + i * 11 % 90);
      }
    return new Case("stretches", 2, d, d, q, k, new Ranges(from, to), biased);
  }

  private static Stream<Case> cases() {
    var one = Sequences.ofLengths(1, 1, 1);
    var many = Sequences.ofLengths(50, 50, 13);
    return Stream.of(full(2, 64, 64, 50, 50), causal(2, 64, false, 77, 1, 13, 65), full(1, 64, 64, 197),
        full(1, 88, 88, 257), full(1, 72, 72, 65), full(1, 80, 80, 77),
        full(1, 104, 104, 50), full(1, 112, 112, 77), full(1, 128, 128, 33), full(3, 8, 8, 13), full(2, 40, 40, 20),
        full(1, 64, 80, 50), full(1, 72, 16, 50), full(2, 13, 7, 20),
        full(1, 16, 16, 40), full(2, 24, 24, 33), full(1, 48, 48, 50), full(1, 56, 56, 21), full(1, 96, 96, 50),
        full(1, 120, 120, 40),
        full(1, 136, 136, 20), causal(2, 64, true, 49, 13, 77), causal(1, 104, true, 70),
        new Case("cross", 2, 64, 64, one, many, Ranges.full(one, many), false),
        stretches(64, false, Sequences.ofLengths(150, 70), Sequences.ofLengths(197, 65)),
        stretches(32, true, Sequences.ofLengths(70, 5), Sequences.ofLengths(90, 70)));
  }

  @TestFactory Stream<DynamicTest> attention() {
    return cases().map(c -> DynamicTest.dynamicTest(c.toString(), () -> on(() -> {
      var in = c.draw();
      int n = c.biased ? 4 : 3;
      var ours = withGradients(c.op(), in.subList(0, n), List.of(in.get(n)));
      var exact = reference(c, in, x -> x);
      var naive = reference(c, in, Bf16Test::rounded);
      String[] names = {"o", "dq", "dk", "dv", "dbias"};
      for (int i = 0; i <= n; i++) near(names[i], exact[i], naive[i], ours.get(i).floats());
    })));
  }

  /// o, dq, dk, dv, [dbias]; `round` is applied to every intermediate that a composition would store.
  private static double[][] reference(Case c, List<Tensor> in, DoubleUnaryOperator round) {
    float[] q = in.get(0).floats(), k = in.get(1).floats(), v = in.get(2).floats(), g = in.getLast().floats(), bias =
        c.biased ? in.get(3).floats() : null;
    int heads = c.heads, d = c.d, e = c.e, bq = c.biased ? in.get(3).dim(1) : 0, bk = c.biased ? in.get(3).dim(2) : 0;
    double[] o = new double[g.length], dq = new double[q.length], dk = new double[k.length], dv = new double[v.length],
        db = new double[heads * bq * bk];
    double scale = c.op().scale();
    for (int s = 0; s < c.queries.count(); s++)
      for (int h = 0; h < heads; h++)
        for (int i = c.queries.from(s); i < c.queries.to(s); i++) {
          int a = c.ranges.from()[i], b = c.ranges.to()[i];
          if (a >= b) continue;
          double[] p = new double[b - a];
          double max = Double.NEGATIVE_INFINITY, sum = 0, delta = 0;
          for (int j = a; j < b; j++) {
            double z = round.applyAsDouble(dot(q, (i * heads + h) * d, k, (j * heads + h) * d, d));
            z = round.applyAsDouble(z * scale);
            if (bias != null)
              z = round.applyAsDouble(z + bias[(h * bq + i - c.queries.from(s)) * bk + j - c.keys.from(s)]);
            max = Math.max(max, p[j - a] = z);
          }
          for (int j = 0; j < p.length; j++) sum += p[j] = Math.exp(p[j] - max);
          for (int j = 0; j < p.length; j++) p[j] = round.applyAsDouble(p[j] / sum);
          for (int x = 0; x < e; x++) {
            int at = (i * heads + h) * e + x;
            for (int j = a; j < b; j++) o[at] += p[j - a] * v[(j * heads + h) * e + x];
            o[at] = round.applyAsDouble(o[at]);
            delta += o[at] * g[at];
          }
          for (int j = a; j < b; j++) {
            double ds =
                round.applyAsDouble(p[j - a]
                * (round.applyAsDouble(dot(g, (i * heads + h) * e, v, (j * heads + h) * e, e)) - delta));
            for (int x = 0; x < e; x++) dv[(j * heads + h) * e + x] += p[j - a] * g[(i * heads + h) * e + x];
            for (int x = 0; x < d; x++) {
              dq[(i * heads + h) * d + x] += scale * ds * k[(j * heads + h) * d + x];
              dk[(j * heads + h) * d + x] += scale * ds * q[(i * heads + h) * d + x];
            }
            if (bias != null) db[(h * bq + i - c.queries.from(s)) * bk + j - c.keys.from(s)] += ds;
          }
        }
    return new double[][] {rounded(o, round), rounded(dq, round), rounded(dk, round), rounded(dv, round),
        rounded(db, round)};
  }

  @TestFactory Stream<DynamicTest> losses() {
    return IntStream.range(0, 4).mapToObj(i ->
        DynamicTest.dynamicTest((i < 2 ? "softmax" : "sigmoid") + (i % 2 == 1 ? " in groups" : ""), () -> on(() -> {
      int n = 150, d = 72;
      boolean sigmoid = i >= 2, grouped = i % 2 == 1;
      Contrastive op = sigmoid ? new Contrastive.Sigmoid(48, grouped, false)
          : new Contrastive.Softmax(48, grouped, false);
      int[] groups = IntStream.range(0, n).map(r -> grouped ? r % 61 : r).toArray();
      var in = new ArrayList<>(List.of(Draw.uniform(1, Shape.of(n, d), -0.3f, 0.3f).cast(DType.BF16),
          Draw.uniform(2, Shape.of(n, d), -0.3f, 0.3f).cast(DType.BF16), Tensor.scalar(7)));
      if (sigmoid) in.add(Tensor.scalar(-3));
      int gradients = in.size();
      if (grouped) for (int k = 0; k < 2; k++) in.add(Tensor.ofInts(Shape.of(n), groups));
      var ours = withGradients(op, in, List.of(Tensor.scalar(1.5f)));
      var exact = losses(in, sigmoid, groups, x -> x);
      var naive = losses(in, sigmoid, groups, Bf16Test::rounded);
      String[] names = {"loss", "dx", "dt", "dscale", "dbias"};
      for (int k = 0; k <= gradients; k++) near(names[k], exact[k], naive[k], ours.get(k).floats());
    })));
  }

  /// loss, dx, dt, dscale, [dbias], for dloss = 1.5
  private static double[][] losses(List<Tensor> in, boolean sigmoid, int[] groups, DoubleUnaryOperator round) {
    float[] x = in.get(0).floats(), t = in.get(1).floats();
    int n = in.getFirst().dim(0), d = in.getFirst().dim(1);
    double scale = in.get(2).item(), bias = sigmoid ? in.get(3).item() : 0, loss = 0, dscale = 0, dbias = 0;
    double[][] a = new double[n][n], z = new double[n][n];
    double[] row = new double[n], column = new double[n], of = new double[n], dx = new double[n * d], dt =
        new double[n * d];
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++) {
        a[i][j] = round.applyAsDouble(dot(x, i * d, t, j * d, d));
        z[i][j] = round.applyAsDouble(round.applyAsDouble(a[i][j] * scale) + bias);
        row[i] += Math.exp(z[i][j]);
        column[j] += Math.exp(z[i][j]);
        if (groups[i] == groups[j]) of[i]++;
      }
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++) {
        boolean positive = groups[i] == groups[j];
        double slope;
        if (sigmoid) {
          loss += round.applyAsDouble(Math.log1p(Math.exp(positive ? -z[i][j] : z[i][j]))) / n;
          slope = (1 / (1 + Math.exp(-z[i][j])) - (positive ? 1 : 0)) * 1.5 / n;
        } else {
          if (j == 0) loss += (Math.log(row[i]) + Math.log(column[i])) / (2 * n);
          if (positive) loss -= z[i][j] * (1 / of[i] + 1 / of[j]) / (2 * n);
          slope = (Math.exp(z[i][j]) / row[i] + Math.exp(z[i][j]) / column[j] - (positive ? 1 / of[i] + 1 / of[j] : 0))
              * 1.5 / (2 * n);
        }
        slope = round.applyAsDouble(slope);
        dscale += slope * a[i][j];
        dbias += slope;
        for (int c = 0; c < d; c++) {
          dx[i * d + c] += slope * scale * t[j * d + c];
          dt[j * d + c] += slope * scale * x[i * d + c];
        }
      }
    return new double[][] {{round.applyAsDouble(loss)}, rounded(dx, round), rounded(dt, round),
        {round.applyAsDouble(dscale)}, {round.applyAsDouble(dbias)}};
  }

  /// On the emulation: with the memory, race and barrier checks, in each order of threads.
  @Test void sameBitsInEveryOrder() {
    if (!Emulation.on()) throw new TestAbortedException("the order of threads can be chosen on the emulation only");
    on(() -> {
      var cases = List.of(causal(1, 64, true, 77, 13), full(1, 104, 104, 70),
          stretches(13, false, Sequences.ofLengths(40), Sequences.ofLengths(50)));
      var contrastive = List.of(Draw.uniform(1, Shape.of(140, 40), -0.3f, 0.3f).cast(DType.BF16),
          Draw.uniform(2, Shape.of(140, 40), -0.3f, 0.3f).cast(DType.BF16), Tensor.scalar(7));
      float[][] before = null;
      Emulation.check(true);
      try {
        for (var order : Emulation.Order.values()) {
          Emulation.order(order);
          var all = new ArrayList<Tensor>();
          for (var c : cases) {
            var in = c.draw();
            all.addAll(withGradients(c.op(), in.subList(0, in.size() - 1), List.of(in.getLast())));
          }
          all.addAll(withGradients(new Contrastive.Softmax(48, false, false), contrastive, List.of(Tensor.scalar(1))));
          var wide = contrastive.stream().map(t -> t.cast(DType.F32)).toList();
          all.addAll(withGradients(new Contrastive.Sigmoid(48, false, false),
              List.of(wide.get(0), wide.get(1), wide.get(2), Tensor.scalar(-3)), List.of(Tensor.scalar(1))));
          var found = all.stream().map(Tensor::floats).toArray(float[][]::new);
          if (before == null) before = found;
          else for (int i = 0; i < found.length; i++) assertArrayEquals(before[i], found[i], order + ", result " + i);
        }
      } finally {
        Emulation.check(false);
        Emulation.order(Emulation.Order.FORWARD);
      }
    });
  }

  // Help

  private static List<Tensor> withGradients(Op op, List<Tensor> in, List<Tensor> cotangents) {
    var r = Grad.vjp(in, x -> Tensor.applyAll(op, x), _ -> cotangents);
    var all = new ArrayList<>(Tensor.applyAll(op, in));
    for (int i = 0; i < in.size() && r.gradients().size() > i; i++)
      if (in.get(i).dtype().floating()) all.add(r.gradients().get(i));
    return all;
  }

  private static void near(String what, double[] exact, double[] naive, float[] ours) {
    double error = distance(exact, IntStream.range(0, ours.length).mapToDouble(i -> ours[i]).toArray()), allowed =
        2 * distance(exact, naive);
    assertTrue(error <= allowed, () -> "%s: relative error %.2e, allowed %.2e".formatted(what, error, allowed));
  }

  private static double distance(double[] exact, double[] found) {
    assertEquals(exact.length, found.length);
    double difference = 0, size = 0;
    for (int i = 0; i < exact.length; i++) {
      difference += (exact[i] - found[i]) * (exact[i] - found[i]);
      size += exact[i] * exact[i];
    }
    return Math.sqrt(difference / size);
  }

  private static double dot(float[] a, int at, float[] b, int bt, int n) {
    double s = 0;
    for (int i = 0; i < n; i++) s += (double) a[at + i] * b[bt + i];
    return s;
  }

  private static double rounded(double x) { return DType.fromBf16(DType.toBf16((float) x)); }
  private static double[] rounded(double[] x, DoubleUnaryOperator round) {
    double[] r = new double[x.length];
    for (int i = 0; i < r.length; i++) r[i] = round.applyAsDouble(x[i]);
    return r;
  }

  private static void on(Runnable body) {
    var device = Device.named("cuda");
    long before = device.live().blocks();
    try (var _ = Scope.open(device)) { body.run(); }
    assertEquals(before, device.live().blocks(), "blocks left over");
  }
}
