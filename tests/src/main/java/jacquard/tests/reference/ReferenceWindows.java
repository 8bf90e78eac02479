package jacquard.tests.reference;

import static jacquard.tests.reference.ReferenceAdjoint.sums;
import static jacquard.tests.reference.ReferenceAdjoint.totals;

import jacquard.tensor.Grid;
import jacquard.tensor.Shape;
import jacquard.tensor.op.Fused;

/// The gradients of convolutions and average pooling: sums over the windows that a pixel or a weight is in.
final class ReferenceWindows {
  private ReferenceWindows() {}

  private interface Tap { void visit(int output, int input, int ky, int kx); }

  private static void taps(Fused.Conv2d op, Shape w, int images, Tap body) {
    Grid from = op.grid(), to = op.to(w);
    for (int p = 0; p < images * to.size(); p++)
      for (int ky = 0; ky < w.dim(1); ky++)
        for (int kx = 0; kx < w.dim(2); kx++) {
          int y = p % to.size() / to.width() * op.stride() + ky - op.padding().top(), x =
              p % to.width() * op.stride() + kx - op.padding().left();
          if (y >= 0 && y < from.height() && x >= 0 && x < from.width())
            body.visit(p, (p / to.size() * from.height() + y) * from.width() + x, ky, kx);
        }
  }

  static Exact input(Fused.Conv2d op, Exact w, Exact dy) {
    int o = w.dim(0), kh = w.dim(1), kw = w.dim(2), c = w.dim(3), images = dy.dim(0) / op.to(w.shape()).size(), rows =
        images * op.grid().size(), wide = c * op.groups(), each = o / op.groups();
    var s = sums(rows * wide);
    taps(op, w.shape(), images, (p, x, ky, kx) -> {
      for (int q = 0; q < o; q++)
        for (int i = 0; i < c; i++)
          s[x * wide + q / each * c + i].add(dy.get(p, q), w.get(((q * kh + ky) * kw + kx) * c + i));
    });
    return totals(Shape.of(rows, wide), s);
  }

  static Exact weight(Fused.Conv2d op, Shape w, Exact x, Exact dy) {
    int o = w.dim(0), kh = w.dim(1), kw = w.dim(2), c = w.dim(3), each = o / op.groups();
    var s = sums((int) w.size());
    taps(op, w, x.dim(0) / op.grid().size(), (p, from, ky, kx) -> {
      for (int q = 0; q < o; q++)
        for (int i = 0; i < c; i++)
          s[((q * kh + ky) * kw + kx) * c + i].add(dy.get(p, q), x.get(from, q / each * c + i));
    });
    return totals(w, s);
  }

  static Exact pooled(Fused.AveragePool op, Exact dy) {
    Grid from = op.grid(), to = op.to();
    int c = dy.dim(1), k = op.size();
    return Exact.of(Shape.of(dy.dim(0) / to.size() * from.size(), c), i -> {
      int p = i / c, y = p % from.size() / from.width() / k, x = p % from.width() / k;
      return y >= to.height() || x >= to.width() ? Real.ZERO
          : dy.get((p / from.size() * to.height() + y) * to.width() + x, i % c).times(1.0 / (k * k));
    });
  }
}
