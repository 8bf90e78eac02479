package jacquard.tensor.op;

import static jacquard.tensor.op.Activation.NONE;

import jacquard.tensor.DType;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Ops that a device runs as one kernel though simpler ops would do. The definition is documentation, test reference,
/// fallback and default gradient.
public sealed interface Fused extends Op permits Fused.Linear, Fused.Softmax, Fused.LayerNorm, Fused.Normalize,
    Fused.Norm, Fused.BatchNorm,
    Fused.Conv2d, Fused.AveragePool, Fused.Patches, Attention, Contrastive {

  List<Tensor> define(List<Tensor> in);

  /// Whether these are x `[r,d]` and two vectors `[d]`, floating.
  private static boolean normed(List<Type> in) {
    if (!Op.floating(in, 3) || !in.getFirst().has(-1, -1)) return false;
    int d = in.getFirst().shape().dim(1);
    return in.get(1).has(d) && in.get(2).has(d);
  }

  /// activation(x·Wᵀ + b) + a: x `[r,k]`, W `[n,k]`, b `[n]`, a `[r,n]` → `[r,n]`, of a's dtype where there is one.
  /// Recorded with an activation: also z = x·Wᵀ + b.
  ///
  /// @param added whether there is an a: what a residual block adds its result to
  record Linear(Activation activation, boolean bias, boolean added, boolean isRecorded) implements Fused {
    public Linear(Activation activation, boolean bias, boolean isRecorded) {
      this(activation, bias, false, isRecorded);
    }
    @Override public Op recorded() { return new Linear(activation, bias, added, activation != NONE); }
    @Override public List<Type> infer(List<Type> in) {
      boolean ok = Op.floating(in, 2 + (bias ? 1 : 0) + (added ? 1 : 0)) && in.get(0).has(-1, -1)
          && in.get(1).has(-1, in.get(0).shape().dim(1));
      int r = ok ? in.get(0).shape().dim(0) : 0, n = ok ? in.get(1).shape().dim(0) : 0;
      if (!ok || bias && !in.get(2).has(n) || added && !in.getLast().has(r, n))
        throw Op.mismatch(this, in, "floating x [r,k], W [n,k]" + (bias ? ", b [n]" : "") + (added ? ", a [r,n]" : ""));
      var t = (added ? in.getLast() : in.getFirst()).with(Shape.of(r, n));
      return isRecorded ? List.of(t, t) : List.of(t);
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      var z = in.get(0).matmul(false, in.get(1), true);
      if (bias) z = z.add(in.get(2).cast(z.dtype()));
      if (added) z = z.cast(in.getLast().dtype());
      var y = added ? z.activate(activation).add(in.getLast()) : z.activate(activation);
      return isRecorded ? List.of(y, z) : List.of(y);
    }
  }

  /// Along the last axis: eˣ⁻ᵐ / Σ eˣ⁻ᵐ, m the largest.
  record Softmax() implements Fused {
    @Override public List<Type> infer(List<Type> in) {
      if (!Op.floating(in, 1) || in.getFirst().shape().rank() == 0)
        throw Op.mismatch(this, in, "one floating tensor with a last axis");
      return in;
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      var e = in.getFirst().subtract(in.getFirst().maxKeeping(-1)).exp();
      return List.of(e.divide(e.sumKeeping(-1)));
    }
  }

  /// γ·(x − μ)/√(σ² + ε) + β over the last axis of x `[r,d]`; Ba et al. 2016. Recorded: also μ `[r]` and 1/√(σ² + ε)
  /// `[r]`.
  ///
  /// @param to the result's dtype; null: x's. Whatever it is, the norm is computed in x's
  record LayerNorm(float epsilon, DType to, boolean isRecorded) implements Fused {
    public LayerNorm(float epsilon, boolean isRecorded) { this(epsilon, null, isRecorded); }
    /// This one, but with a result of another dtype.
    public LayerNorm to(DType dtype) { return new LayerNorm(epsilon, dtype, isRecorded); }
    @Override public Op recorded() { return new LayerNorm(epsilon, to, true); }
    @Override public List<Type> infer(List<Type> in) {
      if (!normed(in) || to != null && !to.floating())
        throw Op.mismatch(this, in, "floating x [r,d], γ [d], β [d] and result");
      var s = in.getFirst().shape();
      Type y = new Type(to == null ? in.getFirst().dtype() : to, s), row = in.getFirst().with(Shape.of(s.dim(0)));
      return isRecorded ? List.of(y, row, row) : List.of(y);
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      var x = in.getFirst();
      int d = x.dim(1);
      var mean = x.sumKeeping(1).mul(1f / d);
      var c = x.subtract(mean);
      var deviation = c.mul(c).sumKeeping(1).affine(1f / d, epsilon).sqrt();
      var y = c.divide(deviation).mul(in.get(1)).add(in.get(2)).cast(to == null ? x.dtype() : to);
      if (!isRecorded) return List.of(y);
      return List.of(y, mean.reshape(x.dim(0)), Tensor.scalar(1).cast(x.dtype()).divide(deviation).reshape(x.dim(0)));
    }
  }

  /// x / max(‖x‖₂, ε) for each row of x `[r,d]`.
  record Normalize(float epsilon) implements Fused {
    @Override public List<Type> infer(List<Type> in) {
      if (!Op.floating(in, 1) || !in.getFirst().has(-1, -1)) throw Op.mismatch(this, in, "a floating matrix");
      return in;
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      var x = in.getFirst();
      // the root of 0 has no gradient
      return List.of(x.divide(x.mul(x).sumKeeping(1).clamp(epsilon * epsilon, Float.MAX_VALUE).sqrt()));
    }
  }

  /// √ of the sum of all squares of any number of tensors → []: the norm that gradients are clipped by.
  record Norm() implements Fused {
    @Override public List<Type> infer(List<Type> in) {
      if (in.isEmpty() || !Op.floating(in)) throw Op.mismatch(this, in, "floating tensors");
      return List.of(Type.f32());
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      return List.of(in.stream().map(x -> x.mul(x).sum()).reduce(Tensor::add).orElseThrow().sqrt());
    }
  }

  /// γ·(x − μ)/√(σ² + ε) + β with the mean and (biased) variance of each column of x `[r,c]`; Ioffe and Szegedy 2015.
  /// Recorded: also μ `[c]` and σ² `[c]`.
  record BatchNorm(float epsilon, boolean isRecorded) implements Fused {
    @Override public Op recorded() { return new BatchNorm(epsilon, true); }
    @Override public List<Type> infer(List<Type> in) {
      if (!normed(in)) throw Op.mismatch(this, in, "floating x [r,c], γ [c], β [c]");
      var column = in.getFirst().with(in.get(1).shape());
      return isRecorded ? List.of(in.getFirst(), column, column) : List.of(in.getFirst());
    }
    /// The statistics are visible outputs of the recorded form: running averages are made of them.
    @Override public int outputs() { return isRecorded ? 3 : 1; }
    @Override public List<Tensor> define(List<Tensor> in) {
      var x = in.getFirst();
      var mean = x.sum(0).mul(1f / x.dim(0));
      var c = x.subtract(mean);
      var variance = c.mul(c).sum(0).mul(1f / x.dim(0));
      var y = c.divide(variance.add(epsilon).sqrt()).mul(in.get(1)).add(in.get(2));
      return isRecorded ? List.of(y, mean, variance) : List.of(y);
    }
  }

  /// x: one row a pixel `[b·h·w, i]` on `grid`; W `[o, kh, kw, i/groups]`, b `[o]` → `[b·oh·ow, o]`. Each group of
  /// outputs reads its group of inputs; with a group for each input (depthwise) an input makes o/i outputs, which lie
  /// together.
  ///
  /// @param biased whether there is a b
  record Conv2d(Grid grid, int stride, Padding padding, int groups, boolean biased) implements Fused {
    public Conv2d {
      if (stride < 1 || groups < 1)
        throw new IllegalArgumentException("stride " + stride + " and " + groups + " groups, expected at least 1");
    }
    public Conv2d(Grid grid, int stride, int padding) { this(grid, stride, Padding.of(padding), 1, false); }

    @Override public List<Type> infer(List<Type> in) {
      var w = in.size() < 2 ? Shape.SCALAR : in.get(1).shape();
      if (in.size() != (biased ? 3 : 2) || in.get(0).shape().rank() != 2 || w.rank() != 4 || w.dim(0) % groups != 0
          || in.get(0).shape().dim(1) != w.dim(3) * groups
          || in.get(0).shape().dim(0) % grid.size() != 0 || biased && !in.get(2).shape().equals(Shape.of(w.dim(0)))
          || in.stream().anyMatch(t -> !t.dtype().floating()))
        throw Op.mismatch(this, in, "floating x [b·" + grid.size() + ", i], W [o, kh, kw, i"
        + (groups > 1 ? "/" + groups : "") + "]" + (biased ? ", b [o]" : "") + ", o a multiple of " + groups);
      var to = checked(w, in);
      return List.of(in.getFirst().with(Shape.of(in.get(0).shape().dim(0) / grid.size() * to.size(), w.dim(0))));
    }
    /// The output's grid.
    public Grid to(Shape weight) { return grid.windows(weight.dim(1), weight.dim(2), stride, padding); }

    /// The output's grid where there is one.
    Grid checked(Shape w, List<Type> in) {
      if (w.dim(1) < 1 || w.dim(2) < 1 || Math.max(padding.top(), padding.bottom()) >= w.dim(1)
          || Math.max(padding.left(), padding.right()) >= w.dim(2))
        throw Op.mismatch(this, in, "padding smaller than the kernel");
      var to = to(w);
      if (to.height() < 1 || to.width() < 1) throw Op.mismatch(this, in, "a grid no smaller than the kernel");
      return to;
    }

    /// Of how many images dy, the last input of `op`, is.
    int images(Adjoint op, Shape w, List<Type> in) {
      var to = checked(w, in);
      var dy = in.getLast().shape();
      if (dy.rank() != 2 || dy.dim(0) % to.size() != 0 || dy.dim(1) != w.dim(0))
        throw Op.mismatch(op, in, "dy [b·" + to.size() + ", " + w.dim(0) + "]");
      return dy.dim(0) / to.size();
    }

    /// For each of `count` windows the pixel under its tap (ky, kx), −1 in the padding.
    int[] pixels(Shape weight, int count, int ky, int kx) {
      var to = to(weight);
      int[] index = new int[count];
      for (int i = 0; i < count; i++) {
        int y = i % to.size() / to.width() * stride + ky - padding.top(), x =
            i % to.width() * stride + kx - padding.left();
        boolean inside = y >= 0 && y < grid.height() && x >= 0 && x < grid.width();
        index[i] = inside ? (i / to.size() * grid.height() + y) * grid.width() + x : -1;
      }
      return index;
    }

    /// Whether every input has outputs of its own.
    public boolean depthwise(Shape weight) { return groups > 1 && weight.dim(3) == 1; }

    /// The convolution of one group.
    public Conv2d ofGroup() { return new Conv2d(grid, stride, padding, 1, biased); }

    /// The group's share of x, W and b.
    List<Tensor> group(int g, List<Tensor> in) {
      int i = in.get(1).dim(3), o = in.get(1).dim(0) / groups;
      var r = new ArrayList<>(List.of(in.get(0).slice(1, g * i, g * i + i), in.get(1).slice(0, g * o, g * o + o)));
      if (biased) r.add(in.get(2).slice(0, g * o, g * o + o));
      return r;
    }

    @Override public List<Tensor> define(List<Tensor> in) {
      if (groups > 1)
        return List.of(Tensor.concat(1, IntStream.range(0, groups)
            .mapToObj(g -> Tensor.applyAll(ofGroup(), group(g, in)).getFirst()).toList()));
      Tensor x = in.get(0), w = in.get(1);
      int kh = w.dim(1), kw = w.dim(2), windows = x.dim(0) / grid.size() * to(w.shape()).size();
      var taps = new ArrayList<Tensor>();
      for (int ky = 0; ky < kh; ky++)
        for (int kx = 0; kx < kw; kx++) taps.add(x.gather(pixels(w.shape(), windows, ky, kx)));
      var y = Tensor.concat(1, taps).matmul(false, w.reshape(w.dim(0), kh * kw * w.dim(3)), true);
      return List.of(biased ? y.add(in.get(2).cast(y.dtype())) : y);
    }
  }

  /// Means of k×k windows, stride k, a remainder dropped: `[b·h·w, c]` → [b·(h/k)·(w/k), c].
  record AveragePool(Grid grid, int size) implements Fused {
    @Override public List<Type> infer(List<Type> in) {
      if (!Op.floating(in, 1) || !in.getFirst().has(-1, -1) || in.getFirst().shape().dim(0) % grid.size() != 0
          || size < 1 || size > Math.min(grid.height(), grid.width()))
        throw Op.mismatch(this, in, "floating x [b·" + grid.size() + ", c] and a grid no smaller than a window");
      var s = in.getFirst().shape();
      return List.of(in.getFirst().with(Shape.of(s.dim(0) / grid.size() * to().size(), s.dim(1))));
    }
    public Grid to() { return grid.windows(size, size, size, 0); }
    @Override public List<Tensor> define(List<Tensor> in) {
      int[] index = windows(in.getFirst().dim(0));
      int count = index.length / grid.size() * to().size();
      return List.of(in.getFirst().scatterAdd(count, Tensor.ofInts(Shape.of(index.length), index))
          .mul(1f / (size * size)));
    }

    /// For each of `count` pixels the window that it is in, −1 in the remainder.
    int[] windows(int count) {
      var to = to();
      int[] index = new int[count];
      for (int i = 0; i < count; i++) {
        int y = i % grid.size() / grid.width() / size, x = i % grid.width() / size;
        index[i] = y < to.height() && x < to.width() ? i / grid.size() * to.size() + y * to.width() + x : -1;
      }
      return index;
    }
  }

  /// 8-bit samples of pixels as normalised rows of patches, (x/255 − mean)/deviation by channel: U8 [b·h·w, c] → F32
  /// [b·(h/k)·(w/k), k·k·c], a patch's pixels row by row; a remainder of the grid is dropped. Has no gradient.
  record Patches(Grid grid, int size, List<Float> mean, List<Float> deviation) implements Fused {
    public Patches {
      mean = List.copyOf(mean);
      deviation = List.copyOf(deviation);
      if (mean.size() != deviation.size())
        throw new IllegalArgumentException("means " + mean + " and deviations " + deviation + ", expected as many");
    }
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 1 || in.getFirst().dtype() != DType.U8 || !in.getFirst().has(-1, mean.size())
          || in.getFirst().shape().dim(0) % grid.size() != 0
          || size < 1 || size > Math.min(grid.height(), grid.width()))
        throw Op.mismatch(this, in, "U8 x [b·" + grid.size() + ", " + mean.size()
        + "] and a grid no smaller than a patch");
      return List.of(Type.f32(in.getFirst().shape().dim(0) / grid.size() * to().size(), size * size * mean.size()));
    }
    public Grid to() { return grid.windows(size, size, size, 0); }
    @Override public List<Tensor> define(List<Tensor> in) {
      var to = to();
      int count = in.getFirst().dim(0) / grid.size() * to.size();
      int[] index = new int[count * size * size];
      for (int i = 0; i < index.length; i++) {
        int patch = i / (size * size), b = patch / to.size(), y =
            patch % to.size() / to.width() * size + i / size % size, x = patch % to.width() * size + i % size;
        index[i] = (b * grid.height() + y) * grid.width() + x;
      }
      var x = in.getFirst().cast(DType.F32).gather(index).divide(Tensor.of(Shape.of(1), 255));
      return List.of(x.subtract(channels(mean)).divide(channels(deviation)).reshape(count, size * size * mean.size()));
    }
    private static Tensor channels(List<Float> values) {
      float[] v = new float[values.size()];
      for (int i = 0; i < v.length; i++) v[i] = values.get(i);
      return Tensor.of(Shape.of(v.length), v);
    }
  }
}
