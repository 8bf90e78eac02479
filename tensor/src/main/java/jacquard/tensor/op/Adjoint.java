package jacquard.tensor.op;

import jacquard.tensor.DType;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// The gradient kernels of fused ops: what backward applies. Their definition is the gradient of the op that they carry.
public sealed interface Adjoint extends Op {

  /// x, dy → dy·activation′(x)
  record Activate(Activation activation) implements Adjoint {
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 2 || !in.get(0).equals(in.get(1))) throw Op.mismatch(this, in, "x and dy of one type");
      return List.of(in.getFirst());
    }
  }

  /// y, dy → y·(dy − Σ y·dy) along the last axis
  record Softmax() implements Adjoint {
    @Override public List<Type> infer(List<Type> in) { return List.of(in.getFirst()); }
  }

  /// x `[r,k]`, dz `[r,n]` → dW = dzᵀ·x `[n,k]` and db = Σ rows of dz `[n]`, in F32 whatever the inputs are: sums over all rows of a batch.
  record LinearWeight() implements Adjoint {
    @Override public int outputs() { return 2; }
    @Override public List<Type> infer(List<Type> in) {
      Shape x = in.get(0).shape(), dz = in.get(1).shape();
      if (x.rank() != 2 || dz.rank() != 2 || x.dim(0) != dz.dim(0)) throw Op.mismatch(this, in, "x [r,k] and dz [r,n]");
      return List.of(Type.f32(dz.dim(1), x.dim(1)), Type.f32(dz.dim(1)));
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
      Type x = in.get(0), w = in.get(1);
      return halved ? List.of(x, w, w, new Type(DType.BF16, x.shape())) : List.of(x, w, w);
    }
  }

  /// x, dy → dx of x / max(‖x‖, ε)
  record Normalize(float epsilon) implements Adjoint {
    @Override public List<Type> infer(List<Type> in) { return List.of(in.getFirst()); }
  }

  /// x, γ, μ `[c]`, σ² `[c]`, dy → dx, dγ, dβ
  record BatchNorm(float epsilon) implements Adjoint {
    @Override public int outputs() { return 3; }
    @Override public List<Type> infer(List<Type> in) { return List.of(in.get(0), in.get(1), in.get(1)); }
  }

  /// x, γ, μ `[c]`, σ² `[c]`, the number of all rows `[]`, dy → dx, and this rank's part of dγ, dβ
  record CollectiveBatchNorm(Collective.BatchNorm norm) implements Adjoint {
    @Override public int outputs() { return 3; }
    @Override public List<Type> infer(List<Type> in) { return List.of(in.get(0), in.get(1), in.get(1)); }
  }

  /// W, dy → dx
  record Conv2dInput(Fused.Conv2d conv) implements Adjoint {
    @Override public List<Type> infer(List<Type> in) {
      var w = in.isEmpty() ? Shape.SCALAR : in.getFirst().shape();
      if (in.size() != 2 || w.rank() != 4 || w.dim(0) % conv.groups() != 0 || in.stream().anyMatch(t -> !t.dtype().floating())) throw Op.mismatch(this, in, "floating W [o, kh, kw, i], dy");
      int images = images(this, conv, w, in);
      return List.of(in.getFirst().with(Shape.of(images * conv.grid().size(), w.dim(3) * conv.groups())));
    }

    /// Group by group.
    public List<Tensor> byGroup(List<Tensor> in) {
      int o = in.get(0).dim(0) / conv.groups();
      return List.of(Tensor.concat(1, IntStream.range(0, conv.groups()).mapToObj(g ->
          Tensor.apply(new Conv2dInput(conv.ofGroup()), in.get(0).slice(0, g * o, g * o + o), in.get(1).slice(1, g * o, g * o + o))).toList()));
    }
  }

  /// x, dy → dW of this shape
  record Conv2dWeight(Fused.Conv2d conv, Shape weight) implements Adjoint {
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 2 || in.getFirst().shape().rank() != 2 || weight.rank() != 4 || weight.dim(0) % conv.groups() != 0 || in.getFirst().shape().dim(1) != weight.dim(3) * conv.groups()
          || in.stream().anyMatch(t -> !t.dtype().floating()) || in.getFirst().shape().dim(0) != images(this, conv, weight, in) * conv.grid().size())
        throw Op.mismatch(this, in, "floating x [b·" + conv.grid().size() + ", i], dy of as many images, for W " + weight);
      return List.of(in.getFirst().with(weight));
    }

    /// Group by group.
    public List<Tensor> byGroup(List<Tensor> in) {
      int o = weight.dim(0) / conv.groups(), i = weight.dim(3);
      var one = new Conv2dWeight(conv.ofGroup(), Shape.of(o, weight.dim(1), weight.dim(2), i));
      return List.of(Tensor.concat(0, IntStream.range(0, conv.groups()).mapToObj(g ->
          Tensor.apply(one, in.get(0).slice(1, g * i, g * i + i), in.get(1).slice(1, g * o, g * o + o))).toList()));
    }
  }

  /// dy → dx
  record AveragePool(Fused.AveragePool pool) implements Adjoint {
    @Override public List<Type> infer(List<Type> in) {
      var y = in.getFirst().shape();
      return List.of(in.getFirst().with(Shape.of(y.dim(0) / pool.to().size() * pool.grid().size(), y.dim(1))));
    }
  }

  /// q, k, v, `[bias]`, o, log-sum-exp, do → dq, dk, dv, `[dbias]`
  ///
  /// @param packed whether dq, dk and dv, of as many rows, are the columns of one matrix: what the projection that made q, k and v needs
  record Attend(Attention attention, boolean packed) implements Adjoint {
    public Attend(Attention attention) { this(attention, false); }
    @Override public int outputs() { return (packed ? 1 : 3) + (attention.biased() ? 1 : 0); }
    @Override public List<Type> infer(List<Type> in) {
      if (!packed) return in.subList(0, outputs());
      Shape q = in.get(0).shape(), k = in.get(1).shape(), v = in.get(2).shape();
      if (q.dim(0) != k.dim(0)) throw Op.mismatch(this, in, "as many queries as keys");
      var all = in.getFirst().with(Shape.of(q.dim(0), q.dim(1) + k.dim(1) + v.dim(1)));
      return attention.biased() ? List.of(all, in.get(3)) : List.of(all);
    }

    /// P = e^(z − lse), dS = P∘(do·vᵀ − Σ o∘do), dq = scale·dS·k, dk = scale·dSᵀ·q, dv = Pᵀ·do, dbias = Σ dS over the sequences.
    public List<Tensor> define(List<Tensor> in) {
      int n = attention.heads(), first = attention.biased() ? 4 : 3, d = in.get(0).dim(1) / n, e = in.get(2).dim(1) / n;
      var parts = List.of(new ArrayList<Tensor>(), new ArrayList<Tensor>(), new ArrayList<Tensor>());
      Tensor dbias = attention.biased() ? Tensor.zeros(in.get(3).shape()) : null;
      for (int s = 0; s < attention.queries().count(); s++) {
        int q0 = attention.queries().from(s), q1 = attention.queries().to(s), k0 = attention.keys().from(s), k1 = attention.keys().to(s);
        var visible = attention.visible(s);
        var heads = List.of(new ArrayList<Tensor>(), new ArrayList<Tensor>(), new ArrayList<Tensor>());
        for (int h = 0; h < n; h++) {
          Tensor q = part(in.get(0), q0, q1, h, d), k = part(in.get(1), k0, k1, h, d), v = part(in.get(2), k0, k1, h, e), o = part(in.get(first), q0, q1, h, e), g = part(in.get(first + 2), q0, q1, h, e);
          var z = q.matmul(false, k, true).mul(attention.scale());                                          // [Q, K]
          if (attention.biased()) z = z.add(in.get(3).slice(0, h, h + 1).slice(1, 0, q1 - q0).slice(2, 0, k1 - k0).reshape(q1 - q0, k1 - k0));
          var lse = part(in.get(first + 1), q0, q1, h, 1).clamp(-1e30f, Float.MAX_VALUE);                   // −∞ of a row without keys
          var p = z.add(visible.affine(-1, 1).mul(-1e30f)).subtract(lse).exp().mul(visible);
          var ds = p.mul(g.matmul(false, v, true).subtract(g.mul(o).sumKeeping(1)));
          heads.get(0).add(ds.matmul(k).mul(attention.scale()));
          heads.get(1).add(ds.matmul(true, q, false).mul(attention.scale()));
          heads.get(2).add(p.matmul(true, g, false));
          if (dbias != null) dbias = dbias.add(padded(ds.reshape(1, q1 - q0, k1 - k0), dbias.shape(), h));
        }
        for (int i = 0; i < 3; i++) parts.get(i).add(Tensor.concat(1, heads.get(i)));
      }
      var r = new ArrayList<Tensor>();
      for (var p : parts) r.add(Tensor.concat(0, p));
      if (packed) r = new ArrayList<>(List.of(Tensor.concat(1, r)));
      if (dbias != null) r.add(dbias);
      return r;
    }

    private static Tensor part(Tensor t, int from, int to, int head, int width) { return t.slice(0, from, to).slice(1, head * width, head * width + width); }

    /// In the first corner of a head of zeros.
    private static Tensor padded(Tensor x, Shape to, int head) {
      x = Tensor.apply(new Movement.Pad(0, head, to.dim(0) - head - 1), x);
      for (int a = 1; a < 3; a++) x = Tensor.apply(new Movement.Pad(a, 0, to.dim(a) - x.dim(a)), x);
      return x;
    }
  }

  /// x, t, scale, `[groups]`, row and column log-sum-exp, dloss → dx, dt, dscale
  record SoftmaxContrastive(Contrastive.Softmax loss) implements Adjoint {
    @Override public int outputs() { return 3; }
    @Override public List<Type> infer(List<Type> in) { return in.subList(0, 3); }
  }

  /// Of how many images dy, the last input, is.
  private static int images(Adjoint op, Fused.Conv2d conv, Shape w, List<Type> in) {
    var to = conv.checked(w, in);
    var dy = in.getLast().shape();
    if (dy.rank() != 2 || dy.dim(0) % to.size() != 0 || dy.dim(1) != w.dim(0)) throw Op.mismatch(op, in, "dy [b·" + to.size() + ", " + w.dim(0) + "]");
    return dy.dim(0) / to.size();
  }
}
