package jacquard.tensor.op;

import jacquard.tensor.DType;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// The gradient kernels of fused ops: what backward applies. Their definition is the gradient of the op that they
/// carry.
public sealed interface Adjoint extends Op {

  /// The same by simpler ops, in F32: documentation, test reference, and fallback where a device has no kernel.
  List<Tensor> define(List<Tensor> in);

  /// x, dy → dy·activation′(x)
  record Activate(Activation activation) implements Adjoint {
    @Override public List<Type> infer(List<Type> in) {
      if (!Op.floating(in, 2) || !in.get(0).equals(in.get(1)))
        throw Op.mismatch(this, in, "floating x and dy of one type");
      return List.of(in.getFirst());
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      return typed(this, in, wide(in, 1).mul(activation.slope(wide(in, 0))));
    }
  }

  /// y, dy → y·(dy − Σ y·dy) along the last axis
  record Softmax() implements Adjoint {
    @Override public List<Type> infer(List<Type> in) {
      if (!Op.floating(in, 2) || !in.get(0).equals(in.get(1)) || in.getFirst().shape().rank() == 0)
        throw Op.mismatch(this, in, "floating y and dy of one type with a last axis");
      return List.of(in.getFirst());
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      Tensor y = wide(in, 0), dy = wide(in, 1);
      return typed(this, in, y.mul(dy.subtract(y.mul(dy).sumKeeping(-1))));
    }
  }

  /// x `[r,k]`, dz `[r,n]` → dW = dzᵀ·x `[n,k]` and, with a bias, db = Σ rows of dz `[n]`, in F32 whatever the inputs
  /// are: sums over all rows of a batch.
  record LinearWeight(boolean bias) implements Adjoint {
    @Override public int outputs() { return bias ? 2 : 1; }
    @Override public List<Type> infer(List<Type> in) {
      if (!Op.floating(in, 2) || !in.get(0).has(-1, -1) || !in.get(1).has(in.get(0).shape().dim(0), -1))
        throw Op.mismatch(this, in, "floating x [r,k] and dz [r,n]");
      int n = in.get(1).shape().dim(1);
      var w = Type.f32(n, in.get(0).shape().dim(1));
      return bias ? List.of(w, Type.f32(n)) : List.of(w);
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      Tensor x = wide(in, 0), dz = wide(in, 1), w = dz.matmul(true, x, false);
      return bias ? typed(this, in, w, dz.sum(0)) : typed(this, in, w);
    }
  }

  /// x, γ, μ `[r]`, 1/σ `[r]`, dy, `[before]` → dx, dγ, dβ, `[dx in BF16]`
  ///
  /// @param adding whether there is a `before`, which dx is added to: what reached x by the way around the norm
  /// @param halved whether dx comes in BF16 too: what the products before the norm read
  record LayerNorm(boolean adding, boolean halved) implements Adjoint {
    public LayerNorm() { this(false, false); }
    @Override public int outputs() { return halved ? 4 : 3; }
    @Override public List<Type> infer(List<Type> in) {
      boolean ok = Op.floating(in, adding ? 6 : 5) && in.getFirst().has(-1, -1);
      int r = ok ? in.getFirst().shape().dim(0) : 0, d = ok ? in.getFirst().shape().dim(1) : 0;
      if (!ok || !in.get(1).has(d) || !in.get(2).has(r) || !in.get(3).has(r) || !in.get(4).has(r, d) || adding
          && !in.get(5).has(r, d))
        throw Op.mismatch(this, in, "floating x [r,d], γ [d], μ [r], 1/σ [r], dy [r,d]"
        + (adding ? ", before [r,d]" : ""));
      Type x = in.get(0), w = in.get(1);
      return halved ? List.of(x, w, w, new Type(DType.BF16, x.shape())) : List.of(x, w, w);
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      int r = in.getFirst().dim(0), d = in.getFirst().dim(1);
      Tensor inverse = wide(in, 3).reshape(r, 1), dy = wide(in, 4), g = dy.mul(wide(in, 1));
      // [r, d]
      var unit = wide(in, 0).subtract(wide(in, 2).reshape(r, 1)).mul(inverse);
      var dx = g.subtract(g.sumKeeping(1).mul(1f / d)).subtract(unit.mul(g.mul(unit).sumKeeping(1).mul(1f / d)))
          .mul(inverse);
      if (adding) dx = dx.add(wide(in, 5));
      Tensor scale = dy.mul(unit).sum(0), shift = dy.sum(0);
      return halved ? typed(this, in, dx, scale, shift, dx) : typed(this, in, dx, scale, shift);
    }
  }

  /// x, dy → dx of x / max(‖x‖, ε)
  record Normalize(float epsilon) implements Adjoint {
    @Override public List<Type> infer(List<Type> in) {
      if (!Op.floating(in, 2) || !in.get(0).has(-1, -1) || !in.get(0).equals(in.get(1)))
        throw Op.mismatch(this, in, "floating x [r,d] and dy of its type");
      return List.of(in.getFirst());
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      Tensor x = wide(in, 0), dy = wide(in, 1), length = x.mul(x).sumKeeping(1).sqrt(), most =
          length.clamp(epsilon, Float.MAX_VALUE), y = x.divide(most);
      // a length below ε is a constant
      return typed(this, in, dy.subtract(y.mul(y.mul(dy).sumKeeping(1)).mul(length.equal(most))).divide(most));
    }
  }

  /// x, γ, μ `[c]`, σ² `[c]`, dy → dx, dγ, dβ
  record BatchNorm(float epsilon) implements Adjoint {
    @Override public int outputs() { return 3; }
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 5 || !columns(in, 4))
        throw Op.mismatch(this, in, "floating x [r,c], γ [c], μ [c], σ² [c], dy [r,c]");
      return List.of(in.get(0), in.get(1), in.get(1));
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      Tensor rows = Tensor.scalar(in.getFirst().dim(0)), unit = unit(epsilon, in), dy = wide(in, 4), scale =
          dy.mul(unit).sum(0), shift = dy.sum(0);
      return typed(this, in, normed(epsilon, in, dy, unit, scale.divide(rows), shift.divide(rows)), scale, shift);
    }
  }

  /// x, γ, μ `[c]`, σ² `[c]`, the number of all rows `[]`, dy → dx, and this rank's part of dγ, dβ
  record CollectiveBatchNorm(Collective.BatchNorm norm) implements Adjoint {
    @Override public int outputs() { return 3; }
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 6 || !columns(in, 5) || !in.get(4).dtype().floating() || in.get(4).shape().size() != 1)
        throw Op.mismatch(this, in, "floating x [r,c], γ [c], μ [c], σ² [c], rows [], dy [r,c]");
      return List.of(in.get(0), in.get(1), in.get(1));
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      Tensor rows = wide(in, 4), unit = unit(norm.epsilon(), in), dy = wide(in, 5), scale = dy.mul(unit).sum(0), shift =
          dy.sum(0);
      var all = Tensor.applyAll(new Collective.AllReduce(norm.group(), 1, 2), List.of(scale, shift));
      return typed(this, in, normed(norm.epsilon(), in, dy, unit, all.get(0).divide(rows), all.get(1).divide(rows)),
          scale, shift);
    }
  }

  /// W, dy → dx
  record Conv2dInput(Fused.Conv2d conv) implements Adjoint {
    @Override public List<Type> infer(List<Type> in) {
      var w = in.isEmpty() ? Shape.SCALAR : in.getFirst().shape();
      if (in.size() != 2 || w.rank() != 4 || w.dim(0) % conv.groups() != 0
          || in.stream().anyMatch(t -> !t.dtype().floating()))
        throw Op.mismatch(this, in, "floating W [o, kh, kw, i], dy");
      int images = conv.images(this, w, in);
      return List.of(in.getFirst().with(Shape.of(images * conv.grid().size(), w.dim(3) * conv.groups())));
    }
    /// Tap by tap; groups one by one.
    @Override public List<Tensor> define(List<Tensor> in) {
      if (conv.groups() > 1) {
        int o = in.get(0).dim(0) / conv.groups();
        return List.of(Tensor.concat(1, IntStream.range(0, conv.groups()).mapToObj(g ->
            Tensor.apply(new Conv2dInput(conv.ofGroup()), in.get(0).slice(0, g * o, g * o + o),
                in.get(1).slice(1, g * o, g * o + o))).toList()));
      }
      Tensor w = wide(in, 0), dy = wide(in, 1), dx = null;
      int rows = dy.dim(0) / conv.to(w.shape()).size() * conv.grid().size();
      for (int ky = 0; ky < w.dim(1); ky++)
        for (int kx = 0; kx < w.dim(2); kx++) {
          // [o, i]
          var tap = w.slice(1, ky, ky + 1).slice(2, kx, kx + 1).reshape(w.dim(0), w.dim(3));
          int[] pixels = conv.pixels(w.shape(), dy.dim(0), ky, kx);
          var d = dy.matmul(tap).scatterAdd(rows, Tensor.ofInts(Shape.of(pixels.length), pixels));
          dx = dx == null ? d : dx.add(d);
        }
      return typed(this, in, dx);
    }
  }

  /// x, dy → dW of this shape, in F32 whatever the inputs are
  record Conv2dWeight(Fused.Conv2d conv, Shape weight) implements Adjoint {
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 2 || in.getFirst().shape().rank() != 2 || weight.rank() != 4
          || weight.dim(0) % conv.groups() != 0 || in.getFirst().shape().dim(1) != weight.dim(3) * conv.groups()
          || in.stream().anyMatch(t -> !t.dtype().floating())
          || in.getFirst().shape().dim(0) != conv.images(this, weight, in) * conv.grid().size())
        throw Op.mismatch(this, in, "floating x [b·" + conv.grid().size() + ", i], dy of as many images, for W "
        + weight);
      return List.of(new Type(DType.F32, weight));
    }
    /// Tap by tap; groups one by one.
    @Override public List<Tensor> define(List<Tensor> in) {
      if (conv.groups() > 1) {
        int o = weight.dim(0) / conv.groups(), i = weight.dim(3);
        var one = new Conv2dWeight(conv.ofGroup(), weight.with(0, o));
        return List.of(Tensor.concat(0, IntStream.range(0, conv.groups()).mapToObj(g ->
            Tensor.apply(one, in.get(0).slice(1, g * i, g * i + i), in.get(1).slice(1, g * o, g * o + o))).toList()));
      }
      Tensor x = wide(in, 0), dy = wide(in, 1);
      var taps = new ArrayList<Tensor>();
      for (int ky = 0; ky < weight.dim(1); ky++)
        // [o, i]
        for (int kx = 0; kx < weight.dim(2); kx++)
          taps.add(dy.matmul(true, x.gather(conv.pixels(weight, dy.dim(0), ky, kx)), false));
      return typed(this, in, Tensor.concat(1, taps).reshape(weight));
    }
  }

  /// dy → dx
  record AveragePool(Fused.AveragePool pool) implements Adjoint {
    @Override public List<Type> infer(List<Type> in) {
      int most = Math.min(pool.grid().height(), pool.grid().width());
      if (!Op.floating(in, 1) || !in.getFirst().has(-1, -1) || pool.size() < 1 || pool.size() > most
          || in.getFirst().shape().dim(0) % pool.to().size() != 0)
        throw Op.mismatch(this, in, "floating dy [b·oh·ow, c], a row a window");
      var y = in.getFirst().shape();
      return List.of(in.getFirst().with(Shape.of(y.dim(0) / pool.to().size() * pool.grid().size(), y.dim(1))));
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      int pixels = in.getFirst().dim(0) / pool.to().size() * pool.grid().size();
      return typed(this, in, wide(in, 0).gather(pool.windows(pixels)).mul(1f / (pool.size() * pool.size())));
    }
  }

  /// q, k, v, `[bias]`, o, log-sum-exp, do → dq, dk, dv, `[dbias]`; dbias, a sum over all sequences of a batch, in F32
  /// whatever the inputs are
  ///
  /// @param packed whether dq, dk and dv, of as many rows, are the columns of one matrix: what the projection that made
  ///   q, k and v needs
  record Attend(Attention attention, boolean packed) implements Adjoint {
    public Attend(Attention attention) { this(attention, false); }
    @Override public int outputs() { return (packed ? 1 : 3) + (attention.biased() ? 1 : 0); }
    @Override public List<Type> infer(List<Type> in) {
      int first = attention.biased() ? 4 : 3;
      if (!Op.floating(in, first + 3))
        throw Op.mismatch(this, in, "floating q, k, v" + (attention.biased() ? ", bias" : "") + ", o, log-sum-exp, do");
      var o = attention.infer(in.subList(0, first)).getFirst().shape();
      if (!in.get(first).shape().equals(o) || !in.get(first + 1).has(o.dim(0), attention.heads())
          || !in.get(first + 2).shape().equals(o))
        throw Op.mismatch(this, in, "o " + o + ", log-sum-exp [" + o.dim(0) + ", " + attention.heads() + "], do " + o);
      Shape q = in.get(0).shape(), k = in.get(1).shape(), v = in.get(2).shape();
      if (packed && q.dim(0) != k.dim(0)) throw Op.mismatch(this, in, "as many queries as keys");
      var r = new ArrayList<Type>();
      if (packed) r.add(in.getFirst().with(Shape.of(q.dim(0), q.dim(1) + k.dim(1) + v.dim(1))));
      else r.addAll(in.subList(0, 3));
      if (attention.biased()) r.add(new Type(DType.F32, in.get(3).shape()));
      return r;
    }

    @Override public List<Tensor> define(List<Tensor> in) {
      var r = new ArrayList<>(attention.gradients(IntStream.range(0, in.size()).mapToObj(i -> wide(in, i)).toList()));
      if (packed) r.addFirst(Tensor.concat(1, List.of(r.removeFirst(), r.removeFirst(), r.removeFirst())));
      return typed(this, in, r.toArray(Tensor[]::new));
    }
  }

  /// x, t, scale, `[groups]`, peaks of rows and columns, dloss → dx, dt, dscale
  record SoftmaxContrastive(Contrastive.Softmax loss) implements Adjoint {
    @Override public int outputs() { return 3; }
    @Override public List<Type> infer(List<Type> in) {
      int first = loss.grouped() ? 5 : 3;
      if (in.size() != first + 3 || !Op.floating(in.subList(first, first + 3)))
        throw Op.mismatch(this, in, "x, t, scale" + (loss.grouped() ? ", two groups" : "") + ", two peaks and dloss");
      loss.infer(in.subList(0, first));
      int n = in.getFirst().shape().dim(0);
      if (!in.get(first).has(2, n) || !in.get(first + 1).has(2, n) || in.get(first + 2).shape().size() != 1)
        throw Op.mismatch(this, in, "two peaks [2," + n + "] and dloss []");
      return in.subList(0, 3);
    }

    @Override public List<Tensor> define(List<Tensor> in) {
      return typed(this, in, loss.gradients(in).toArray(Tensor[]::new));
    }
  }

  private static Tensor wide(List<Tensor> in, int i) { return in.get(i).cast(DType.F32); }

  /// The results in the types that the op infers.
  private static List<Tensor> typed(Adjoint op, List<Tensor> in, Tensor... results) {
    var types = op.infer(in.stream().map(Tensor::type).toList());
    var r = new ArrayList<Tensor>();
    for (int i = 0; i < results.length; i++) r.add(results[i].cast(types.get(i).dtype()));
    return r;
  }

  /// Whether these begin with x `[r,c]`, γ, μ and σ² `[c]` and have dy `[r,c]` at `dy`, floating.
  private static boolean columns(List<Type> in, int dy) {
    if (!Op.floating(in.subList(0, 4)) || !in.get(dy).dtype().floating() || !in.getFirst().has(-1, -1)) return false;
    int c = in.getFirst().shape().dim(1);
    return in.get(1).has(c) && in.get(2).has(c) && in.get(3).has(c) && in.get(dy).shape().equals(in.getFirst().shape());
  }

  /// (x − μ)/√(σ² + ε)
  private static Tensor unit(float epsilon, List<Tensor> in) {
    return wide(in, 0).subtract(wide(in, 2)).divide(wide(in, 3).add(epsilon).sqrt());
  }

  /// dx = γ/√(σ² + ε)·(dy − mean of dy − unit·mean of dy·unit)
  private static Tensor normed(float epsilon, List<Tensor> in, Tensor dy, Tensor unit, Tensor ofProducts, Tensor mean) {
    return dy.subtract(mean).subtract(unit.mul(ofProducts)).mul(wide(in, 1).divide(wide(in, 3).add(epsilon).sqrt()));
  }
}
