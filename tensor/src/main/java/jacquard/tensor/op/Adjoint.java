package jacquard.tensor.op;

import jacquard.tensor.Shape;
import jacquard.tensor.Type;
import java.util.List;

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

  /// x, γ, μ `[r]`, 1/σ `[r]`, dy → dx, dγ, dβ
  record LayerNorm() implements Adjoint {
    @Override public int outputs() { return 3; }
    @Override public List<Type> infer(List<Type> in) { return List.of(in.get(0), in.get(1), in.get(1)); }
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
      Shape w = in.get(0).shape(), y = in.get(1).shape();
      return List.of(in.getFirst().with(Shape.of(y.dim(0) / conv.to(w).size() * conv.grid().size(), w.dim(3))));
    }
  }

  /// x, dy → dW of this shape
  record Conv2dWeight(Fused.Conv2d conv, Shape weight) implements Adjoint {
    @Override public List<Type> infer(List<Type> in) { return List.of(in.getFirst().with(weight)); }
  }

  /// dy → dx
  record AveragePool(Fused.AveragePool pool) implements Adjoint {
    @Override public List<Type> infer(List<Type> in) {
      var y = in.getFirst().shape();
      return List.of(in.getFirst().with(Shape.of(y.dim(0) / pool.to().size() * pool.grid().size(), y.dim(1))));
    }
  }

  /// q, k, v, `[bias]`, o, log-sum-exp, do → dq, dk, dv, `[dbias]`
  record Attend(Attention attention) implements Adjoint {
    @Override public int outputs() { return attention.biased() ? 4 : 3; }
    @Override public List<Type> infer(List<Type> in) { return in.subList(0, outputs()); }
  }

  /// x, t, scale, `[groups]`, row and column log-sum-exp, dloss → dx, dt, dscale
  record SoftmaxContrastive(Contrastive.Softmax loss) implements Adjoint {
    @Override public int outputs() { return 3; }
    @Override public List<Type> infer(List<Type> in) { return in.subList(0, 3); }
  }

  /// x, t, scale, bias, `[groups]`, dloss → dx, dt, dscale, dbias
  record SigmoidContrastive(Contrastive.Sigmoid loss) implements Adjoint {
    @Override public int outputs() { return 4; }
    @Override public List<Type> infer(List<Type> in) { return in.subList(0, 4); }
  }
}
