package jacquard.tensor.op;

import jacquard.tensor.DType;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import java.util.ArrayList;
import java.util.List;

/// Losses over all pairs of images x `[n,d]` and texts t `[n,d]`, tiled so that no N×N matrix exists. With `grouped`,
/// two I32 vectors `[n]` follow the scalars: the pair (i, j) is positive iff image i and text j are of one group (a
/// caption that occurs more than once); else iff i = j.
public sealed interface Contrastive extends Fused {
  /// Rows of a tile; a matter of speed alone.
  int tile();
  boolean grouped();

  /// z = scale·x·tᵀ; ½·(mean over rows of H(target, softmax of the row) + the same over columns), the target uniform
  /// over the positives of the row (Radford et al. 2021; soft targets for repeated captions). Inputs x, t, scale [] →
  /// loss []. Recorded: also the peaks of rows and of columns `[2,n]` each: the largest z, m, and its softmax p = 1/Σ
  /// e^(z − m). Backward makes any other of it, e^(z − m)·p; of a log-sum-exp in one F32, rounded as the largest z is,
  /// the softmaxes of a row would not add up to 1, which is all that counts where features lie close.
  record Softmax(int tile, boolean grouped, boolean isRecorded) implements Contrastive {
    @Override public Op recorded() { return new Softmax(tile, grouped, true); }
    @Override public List<Type> infer(List<Type> in) {
      check(this, in, 1);
      var loss = Type.f32();
      var peaks = Type.f32(2, in.getFirst().shape().dim(0));
      return isRecorded ? List.of(loss, peaks, peaks) : List.of(loss);
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      int n = in.getFirst().dim(0);
      var z = wide(in, 0).matmul(false, wide(in, 1), true).mul(wide(in, 2));           // [n, n]
      var positive = positives(this, in, 3);
      Tensor m = z.maxKeeping(1), s = z.subtract(m).exp().sumKeeping(1);                          // [n, 1]
      Tensor columnM = z.maxKeeping(0), columnS = z.subtract(columnM).exp().sumKeeping(0);        // [1, n]
      var byRow = m.add(s.log()).subtract(z.mul(positive).sumKeeping(1).divide(positive.sumKeeping(1))).sum();
      var byColumn = columnM.add(columnS.log()).subtract(z.mul(positive).sumKeeping(0).divide(positive.sumKeeping(0)))
          .sum();
      var loss = byRow.add(byColumn).mul(0.5f / n);
      return isRecorded ? List.of(loss, peaks(m, s), peaks(columnM, columnS)) : List.of(loss);
    }
    /// Of x, t, scale, `[groups]`, peaks of rows and columns and dloss: dx, dt, dscale in F32.
    /// S = (softmax of rows + softmax of columns − the targets of both)·dloss/2n, dx = scale·S·t, dt = scale·Sᵀ·x,
    /// dscale = Σ S∘(x·tᵀ).
    List<Tensor> gradients(List<Tensor> in) {
      int n = in.getFirst().dim(0), first = grouped ? 5 : 3;
      // [n, n]
      Tensor x = wide(in, 0), t = wide(in, 1), scale = wide(in, 2).reshape(), cosines = x.matmul(false, t, true), z =
          cosines.mul(scale);
      var positive = positives(this, in, 3);
      Tensor rows = wide(in, first), columns = wide(in, first + 1);
      var byRow = z.subtract(rows.slice(0, 0, 1).reshape(n, 1)).exp().mul(rows.slice(0, 1, 2).reshape(n, 1))
          .subtract(positive.divide(positive.sumKeeping(1)));
      var byColumn = z.subtract(columns.slice(0, 0, 1)).exp().mul(columns.slice(0, 1, 2))
          .subtract(positive.divide(positive.sumKeeping(0)));
      var slopes = byRow.add(byColumn).mul(0.5f / n).mul(wide(in, first + 2).reshape());
      return List.of(slopes.matmul(t).mul(scale), slopes.matmul(true, x, false).mul(scale),
          slopes.mul(cosines).sum().reshape(in.get(2).shape()));
    }
    private static Tensor peaks(Tensor m, Tensor s) {
      int n = (int) m.shape().size();
      return Tensor.concat(0, List.of(m.reshape(1, n), Tensor.full(Shape.of(1, n), 1).divide(s.reshape(1, n))));
    }
  }

  /// z = scale·x·tᵀ + bias; (1/n)·Σ_ij softplus(−y_ij·z_ij), y = +1 for positives, −1 else (Zhai et al. 2023).
  /// Inputs x, t, scale [], bias [] → loss []. Recorded: also the loss' gradients by the four inputs. Slopes of z need
  /// no sums over rows or columns, so that a tile's are there with its loss: three products of n·n·d multiply-adds in
  /// all, four where backward made z again.
  record Sigmoid(int tile, boolean grouped, boolean isRecorded) implements Contrastive {
    @Override public Op recorded() { return new Sigmoid(tile, grouped, true); }
    @Override public List<Type> infer(List<Type> in) {
      check(this, in, 2);
      var loss = Type.f32();
      return isRecorded ? List.of(loss, in.get(0), in.get(1), in.get(2), in.get(3)) : List.of(loss);
    }
    @Override public List<Tensor> define(List<Tensor> in) {
      // [n, n]
      Tensor x = wide(in, 0), t = wide(in, 1), scale = wide(in, 2), bias = wide(in, 3), cosines =
          x.matmul(false, t, true), z = cosines.mul(scale).add(bias);
      var positive = positives(this, in, 4);
      float mean = 1f / x.dim(0);
      var loss = z.mul(positive.affine(-2, 1)).softplus().sum().mul(mean);
      if (!isRecorded) return List.of(loss);
      var slopes = z.sigmoid().subtract(positive).mul(mean);                     // dloss / dz
      var made = List.of(slopes.matmul(false, t, false).mul(scale), slopes.matmul(true, x, false).mul(scale),
          slopes.mul(cosines).sum(), slopes.sum());
      var r = new ArrayList<>(List.of(loss));
      for (int i = 0; i < made.size(); i++)
        r.add(made.get(i).reshape(in.get(i).shape().dims()).cast(in.get(i).dtype()));
      return r;
    }
  }

  private static void check(Contrastive op, List<Type> in, int scalars) {
    int floats = 2 + scalars;
    boolean ok = in.size() == floats + (op.grouped() ? 2 : 0) && Op.floating(in.subList(0, floats))
        && in.getFirst().has(-1, -1) && in.get(1).shape().equals(in.getFirst().shape());
    for (int i = 2; ok && i < floats; i++) ok = in.get(i).shape().size() == 1;
    for (int i = floats; ok && i < in.size(); i++)
      ok = in.get(i).equals(new Type(DType.I32, Shape.of(in.getFirst().shape().dim(0))));
    if (!ok)
      throw Op.mismatch(op, in, "x [n,d], t [n,d], " + scalars + " scalars"
          + (op.grouped() ? " and two groups I32 [n]" : ""));
  }

  /// The losses are F32 whatever the features are.
  private static Tensor wide(List<Tensor> in, int i) { return in.get(i).cast(DType.F32); }

  /// 1 where (i, j) is positive, else 0. `[n, n]`
  static Tensor positives(Contrastive op, List<Tensor> in, int at) {
    int n = in.getFirst().dim(0);
    int[] a = op.grouped() ? in.get(at).ints() : java.util.stream.IntStream.range(0, n).toArray();
    int[] b = op.grouped() ? in.get(at + 1).ints() : a;
    float[] p = new float[n * n];
    for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) p[i * n + j] = a[i] == b[j] ? 1 : 0;
    return Tensor.of(Shape.of(n, n), p);
  }
}
