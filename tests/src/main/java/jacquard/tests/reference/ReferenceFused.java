package jacquard.tests.reference;

import jacquard.tensor.Grid;
import jacquard.tensor.Shape;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Fused;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/// The fused ops, each by its formula; recorded variants with their further outputs.
final class ReferenceFused {
  private ReferenceFused() {}

  static List<Exact> apply(Fused op, List<Exact> in) {
    return switch (op) {
      case Fused.Linear l -> linear(l, in);
      case Fused.Softmax _ -> List.of(softmax(in.getFirst()));
      case Fused.LayerNorm n -> layerNorm(n, in);
      case Fused.Normalize n -> List.of(normalize(n, in.getFirst()));
      case Fused.Norm _ -> List.of(norm(in));
      case Fused.BatchNorm n -> batchNorm(n, in);
      case Fused.Conv2d c -> List.of(conv2d(c, in));
      case Fused.AveragePool p -> List.of(averagePool(p, in.getFirst()));
      case Fused.Patches p -> List.of(patches(p, in.getFirst()));
      case Attention a -> attention(a, in);
      case Contrastive.Softmax s -> softmaxLoss(s, in);
      case Contrastive.Sigmoid s -> sigmoidLoss(s, in);
    };
  }

  private static List<Exact> linear(Fused.Linear op, List<Exact> in) {
    int n = in.get(1).dim(0), k = in.get(1).dim(1);
    var z = Exact.of(Shape.of(in.get(0).dim(0), n), i -> {
      var s = new Real.Sum();
      for (int q = 0; q < k; q++) s.add(in.get(0).get(i / n, q), in.get(1).get(i % n, q));
      return op.bias() ? s.total().plus(in.get(2).get(i % n)) : s.total();
    });
    var y = Exact.of(z.shape(), i -> {
      var v = Reference.activate(op.activation(), z.get(i));
      return op.added() ? v.plus(in.getLast().get(i)) : v;
    });
    return op.isRecorded() ? List.of(y, z) : List.of(y);
  }

  /// Σ of n terms.
  static Real sum(int n, IntFunction<Real> term) {
    var s = new Real.Sum();
    for (int i = 0; i < n; i++) s.add(term.apply(i));
    return s.total();
  }

  /// The largest, as an exact number: its error cancels in what is shifted by it.
  static Real largest(int n, IntFunction<Real> of) {
    double m = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) m = Math.max(m, of.apply(i).value());
    return Real.of(m);
  }

  private static Exact softmax(Exact x) {
    int d = x.dim(-1);
    var y = new Real[x.size()];
    for (int r = 0; r < x.size() / Math.max(1, d); r++) {
      int at = r * d;
      var m = largest(d, i -> x.get(at + i));
      for (int i = 0; i < d; i++) y[at + i] = x.get(at + i).minus(m).exp();
      var s = sum(d, i -> y[at + i]);
      for (int i = 0; i < d; i++) y[at + i] = y[at + i].over(s);
    }
    return new Exact(x.shape(), y);
  }

  private static List<Exact> layerNorm(Fused.LayerNorm op, List<Exact> in) {
    Exact x = in.get(0);
    int r = x.dim(0), d = x.dim(1);
    var mean = new Real[r];
    var inverse = new Real[r];
    for (int i = 0; i < r; i++) {
      int row = i;
      mean[i] = sum(d, j -> x.get(row, j)).times(1.0 / d);
      inverse[i] = sum(d, j -> x.get(row, j).minus(mean[row]).times(x.get(row, j).minus(mean[row]))).times(1.0 / d)
          .plus(op.epsilon()).sqrt().inverse();
    }
    // the kernels compute x/σ − μ/σ, whose terms may be larger than their difference
    var y = Exact.of(x.shape(), i -> x.get(i).times(inverse[i / d]).minus(mean[i / d].times(inverse[i / d]))
        .times(in.get(1).get(i % d)).plus(in.get(2).get(i % d)).stored(op.to()));
    return op.isRecorded() ? List.of(y, new Exact(Shape.of(r), mean), new Exact(Shape.of(r), inverse)) : List.of(y);
  }

  private static Exact normalize(Fused.Normalize op, Exact x) {
    int d = x.dim(1);
    var norm = new Real[x.dim(0)];
    for (int r = 0; r < norm.length; r++) {
      int row = r;
      var n = sum(d, j -> x.get(row, j).times(x.get(row, j))).sqrt();
      norm[r] = n.value() > op.epsilon() ? n : Real.of(op.epsilon());
    }
    return Exact.of(x.shape(), i -> x.get(i).over(norm[i / d]));
  }

  private static Exact norm(List<Exact> in) {
    var s = new Real.Sum();
    for (var x : in) for (int i = 0; i < x.size(); i++) s.add(x.get(i), x.get(i));
    return new Exact(Shape.SCALAR, new Real[] {s.total().sqrt()});
  }

  private static List<Exact> batchNorm(Fused.BatchNorm op, List<Exact> in) {
    Exact x = in.get(0);
    int r = x.dim(0), c = x.dim(1);
    var mean = Exact.of(Shape.of(c), j -> sum(r, i -> x.get(i, j)).times(1.0 / r));
    var variance = Exact.of(Shape.of(c), j ->
        sum(r, i -> x.get(i, j).minus(mean.get(j)).times(x.get(i, j).minus(mean.get(j)))).times(1.0 / r));
    var y = Exact.of(x.shape(), i -> {
      var k = in.get(1).get(i % c).over(variance.get(i % c).plus(op.epsilon()).sqrt());
      return x.get(i).times(k).plus(in.get(2).get(i % c).minus(mean.get(i % c).times(k)));
    });
    return op.isRecorded() ? List.of(y, mean, variance) : List.of(y);
  }

  private static Exact conv2d(Fused.Conv2d op, List<Exact> inputs) {
    Exact x = inputs.get(0), w = inputs.get(1);
    Grid from = op.grid(), to = op.to(w.shape());
    int o = w.dim(0), kh = w.dim(1), kw = w.dim(2), in = w.dim(3);
    return Exact.of(Shape.of(x.dim(0) / from.size() * to.size(), o), i -> {
      int p = i / o, b = p / to.size(), y = p % to.size() / to.width(), c = p % to.width(), first =
          i % o / (o / op.groups()) * in;
      var s = new Real.Sum();
      for (int ky = 0; ky < kh; ky++)
        for (int kx = 0; kx < kw; kx++) {
          int yy = y * op.stride() + ky - op.padding().top(), xx = c * op.stride() + kx - op.padding().left();
          if (yy < 0 || yy >= from.height() || xx < 0 || xx >= from.width()) continue;
          for (int q = 0; q < in; q++)
            s.add(x.get((b * from.height() + yy) * from.width() + xx, first + q),
                w.get(((i % o * kh + ky) * kw + kx) * in + q));
        }
      return op.biased() ? s.total().plus(inputs.get(2).get(i % o)) : s.total();
    });
  }

  private static Exact averagePool(Fused.AveragePool op, Exact x) {
    Grid from = op.grid(), to = op.to();
    int c = x.dim(1), k = op.size();
    return Exact.of(Shape.of(x.dim(0) / from.size() * to.size(), c), i -> {
      int p = i / c, b = p / to.size(), y = p % to.size() / to.width() * k, left = p % to.width() * k;
      return sum(k * k, q -> x.get((b * from.height() + y + q / k) * from.width() + left + q % k, i % c))
          .times(1.0 / (k * k));
    });
  }

  private static Exact patches(Fused.Patches op, Exact x) {
    Grid from = op.grid(), to = op.to();
    int c = op.mean().size(), k = op.size(), row = k * k * c;
    return Exact.of(Shape.of(x.dim(0) / from.size() * to.size(), row), i -> {
      int p = i / row, q = i % row / c, b = p / to.size(), y = p % to.size() / to.width() * k + q / k, left =
          p % to.width() * k + q % k;
      return x.get((b * from.height() + y) * from.width() + left, i % c).over(Real.of(255))
          .minus(Real.of(op.mean().get(i % c))).over(Real.of(op.deviation().get(i % c)));
    });
  }

  /// For each query row and head: probabilities over the row's range, log-sum-exp. A row without keys has the output 0
  /// and the log-sum-exp −∞.
  static Real scores(Attention op, List<Exact> in, int sequence, int q, int h, Real[] p) {
    int d = in.get(0).dim(1) / op.heads(), from = op.ranges().from()[q], n = Math.max(0, op.ranges().to()[q] - from);
    for (int j = 0; j < n; j++) {
      var s = new Real.Sum();
      for (int i = 0; i < d; i++) s.add(in.get(0).get(q, h * d + i), in.get(1).get(from + j, h * d + i));
      p[j] = s.total().times(op.scale());
      if (op.biased()) {
        var bias = in.get(3);
        p[j] = p[j].plus(bias.get((h * bias.dim(1) + q - op.queries().from(sequence)) * bias.dim(2) + from + j
            - op.keys().from(sequence)));
      }
    }
    var m = largest(n, j -> p[j]);
    for (int j = 0; j < n; j++) p[j] = p[j].minus(m).exp();
    var total = sum(n, j -> p[j]);
    for (int j = 0; j < n; j++) p[j] = p[j].over(total);
    return n == 0 ? m : m.plus(total.log());
  }

  private static List<Exact> attention(Attention op, List<Exact> in) {
    int rows = in.get(0).dim(0), e = in.get(2).dim(1) / op.heads(), width = op.heads() * e;
    var o = new Real[rows * width];
    var lse = new Real[rows * op.heads()];
    var p = new Real[Math.max(1, op.keys().longest())];
    for (int s = 0; s < op.queries().count(); s++)
      for (int q = op.queries().from(s); q < op.queries().to(s); q++)
        for (int h = 0; h < op.heads(); h++) {
          int from = op.ranges().from()[q], n = Math.max(0, op.ranges().to()[q] - from);
          lse[q * op.heads() + h] = scores(op, in, s, q, h, p);
          for (int c = h * e; c < h * e + e; c++) {
            var sum = new Real.Sum();
            for (int j = 0; j < n; j++) sum.add(p[j], in.get(2).get(from + j, c));
            o[q * width + c] = sum.total();
          }
        }
    var y = new Exact(Shape.of(rows, width), o);
    return op.isRecorded() ? List.of(y, new Exact(Shape.of(rows, op.heads()), lse)) : List.of(y);
  }

  // The losses: z = scale·x·tᵀ (+ bias)

  static Real logit(List<Exact> in, int i, int j, boolean biased) {
    int d = in.get(0).dim(1);
    var s = new Real.Sum();
    for (int k = 0; k < d; k++) s.add(in.get(0).get(i, k), in.get(1).get(j, k));
    var z = s.total().times(in.get(2).scalar());
    return biased ? z.plus(in.get(3).scalar()) : z;
  }

  static boolean positive(Contrastive op, List<Exact> in, int i, int j) {
    int at = op instanceof Contrastive.Softmax ? 3 : 4;
    return op.grouped() ? in.get(at).integer(i) == in.get(at + 1).integer(j) : i == j;
  }

  /// How many texts are positive for image i, or images for text j.
  static int positives(Contrastive op, List<Exact> in, int n, int i, boolean byRow) {
    int c = 0;
    for (int j = 0; j < n; j++) if (byRow ? positive(op, in, i, j) : positive(op, in, j, i)) c++;
    return c;
  }

  private static List<Exact> softmaxLoss(Contrastive.Softmax op, List<Exact> in) {
    int n = in.get(0).dim(0);
    Real[] rows = new Real[2 * n], columns = new Real[2 * n];                  // peaks
    var z = Exact.of(Shape.of(n, n), i -> logit(in, i / n, i % n, false));
    var loss = new Real.Sum();
    for (int i = 0; i < n; i++) {
      int at = i;
      Real m = largest(n, j -> z.get(at, j)), mc = largest(n, j -> z.get(j, at));
      Real s = sum(n, j -> z.get(at, j).minus(m).exp()), sc = sum(n, j -> z.get(j, at).minus(mc).exp());
      peak(rows, i, IntStream.range(0, n).mapToObj(j -> z.get(at, j)).reduce(Real::max).orElseThrow(), s);
      peak(columns, i, IntStream.range(0, n).mapToObj(j -> z.get(j, at)).reduce(Real::max).orElseThrow(), sc);
      int r = positives(op, in, n, i, true), c = positives(op, in, n, i, false);
      loss.add(m.plus(s.log())).add(mc.plus(sc.log()));
      for (int j = 0; j < n; j++) {
        if (positive(op, in, i, j)) loss.add(z.get(i, j).times(-1.0 / r));
        if (positive(op, in, j, i)) loss.add(z.get(j, i).times(-1.0 / c));
      }
    }
    var l = new Exact(Shape.SCALAR, new Real[] {loss.total().times(0.5 / n)});
    return op.isRecorded() ? List.of(l, new Exact(Shape.of(2, n), rows), new Exact(Shape.of(2, n), columns))
        : List.of(l);
  }

  /// The largest, and the inverse of a sum of which an error of the largest moves all terms together.
  private static void peak(Real[] peaks, int i, Real largest, Real sum) {
    peaks[i] = largest;
    peaks[peaks.length / 2 + i] = sum.plus(new Real(0, largest.variance() * sum.value() * sum.value())).inverse();
  }

  private static List<Exact> sigmoidLoss(Contrastive.Sigmoid op, List<Exact> in) {
    int n = in.get(0).dim(0);
    var loss = new Real.Sum();
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++) {
        var z = logit(in, i, j, true);
        loss.add(z.softplus());                                    // softplus(−z) = softplus(z) − z
        if (positive(op, in, i, j)) loss.add(z.negate());
      }
    var r = new ArrayList<>(List.of(new Exact(Shape.SCALAR, new Real[] {loss.total().times(1.0 / n)})));
    if (op.isRecorded()) r.addAll(ReferenceAdjoint.sigmoid(op, in, Real.ONE));
    return r;
  }
}
