package jacquard.kernels.cpu.matmul;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;
import jacquard.kernels.cpu.elementary.CpuActivation;
import jacquard.tensor.Pass;
import jacquard.tensor.Storage;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Fused;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/// Matrix products of tensors: C = op(A)·op(B), and y = f(x·Wᵀ + b) with bias and activation applied while a block is
/// in the cache.
public final class CpuLinear {
  /// Up to so many rows packing a weight costs more than a hundredth of the product: then inference keeps it packed,
  /// beside its storage.
  private static final int FEW = 256;

  /// Floats of a weight that one piece of work reads from a file: they and their panels stay in L2.
  private static final int STRIPE = 1 << 16;

  private record Used(int offset, int n, int k) {}
  private record Panels(int offset, int n, int k, int row, int column) {}

  private CpuLinear() {}

  public static void matMul(boolean ta, boolean tb, Tensor a, Tensor b, Tensor c) {
    int m = c.dim(0), n = c.dim(1), k = a.dim(ta ? 0 : 1);
    int[] as = a.layout().strides(), bs = b.layout().strides();
    CpuMatMul.run(false, m, n, k, array(a), a.layout().offset(), as[ta ? 1 : 0], as[ta ? 0 : 1], array(b),
        b.layout().offset(), bs[tb ? 1 : 0], bs[tb ? 0 : 1],
        array(c), 0, n, null);
  }

  public static void run(Fused.Linear op, List<Tensor> in, List<Tensor> out) {
    Tensor x = in.get(0), w = in.get(1);
    int m = x.dim(0), n = w.dim(0), k = x.dim(1);
    int[] xs = x.layout().strides(), ws = w.layout().strides();
    float[] y = array(out.getFirst()), z = op.isRecorded() ? array(out.get(1)) : y;
    var bias = op.bias() ? Dense.of(in.get(2)) : null;
    var added = op.added() ? Dense.of(in.getLast()) : null;
    var f = op.activation();
    CpuMatMul.Epilogue epilogue = bias == null && added == null && f == Activation.NONE && z == y ? null
        : (i0, i1, j0, j1) -> {
      for (int i = i0; i < i1; i++) {
        int at = i * n + j0, count = j1 - j0;
        CpuActivation.forward(f, bias == null ? null : bias.a(), bias == null ? 0 : bias.at() + j0, z, at, y, at,
            count);
        if (added != null) Simd.add(added.a(), added.at() + at, y, at, count);
      }
    };
    product(m, n, k, array(x), x.layout().offset(), xs[0], xs[1], w, ws[0], ws[1], z, 0, epilogue);
  }

  /// z [m,n] (+)= rows of x [m,k] · Wᵀ, W [n,k] with the strides `wr, wc`.
  public static void product(int m, int n, int k, float[] x, int xo, int xr, int xc, Tensor w, int wr, int wc,
      float[] z,
      int zo, CpuMatMul.Epilogue epilogue) {
    if (m > FEW || m == 0 || n == 0 || k == 0 || Pass.current().training()) {
      CpuMatMul.run(false, m, n, k, x, xo, xr, xc, array(w), w.layout().offset(), wc, wr, z, zo, n, epilogue);
      return;
    }
    boolean rows = wr == k && wc == 1;
    if (rows && first(w, n, k) && w.storage().elsewhere(source ->
        streamed(m, n, k, x, xo, xr, xc, source, w.layout().offset(), z, zo, epilogue)))
      return;
    CpuMatMul.multiply(false, m, n, k, x, xo, xr, xc, panels(w, n, k, wr, wc), z, zo, n, epilogue);
  }

  /// Whether this part of W has not been used before.
  private static boolean first(Tensor w, int n, int k) {
    return !w.storage().derived(new Used(w.layout().offset(), n, k), AtomicBoolean::new).getAndSet(true);
  }

  /// The same with W where it lies in a file, a stripe of some columns at a time packed for this once: a process that
  /// embeds one picture touches no memory for its weights. (Fresh memory costs more than the product.)
  private static void streamed(int m, int n, int k, float[] x, int xo, int xr, int xc, Storage.Source w, int wo,
      float[] z, int zo, CpuMatMul.Epilogue epilogue) {
    Parallel.rows(n, CpuMatMul.NR * Math.max(1, STRIPE / (CpuMatMul.NR * k)), (j0, j1) -> {
      int count = j1 - j0;
      float[] rows = CpuMatMul.stripe(count * k);
      float[] panels = CpuMatMul.shared(CpuMatMul.packed(count, k), k, count);
      w.copy(wo + (long) j0 * k, rows, 0, count * k);
      Slabs.packPanels(count, k, 0, count, rows, 0, 1, k, panels);
      CpuMatMul.multiply(false, m, count, k, x, xo, xr, xc, panels, z, zo + j0, n,
          epilogue == null ? null : (i0, i1, c0, c1) -> epilogue.finish(i0, i1, j0 + c0, j0 + c1));
    });
  }

  /// Wᵀ [k,n] in panels, kept until W changes. Packed straight from the file where W still lies there and nobody else
  /// needs it in rows.
  private static float[] panels(Tensor w, int n, int k, int wr, int wc) {
    int offset = w.layout().offset();
    return w.storage().derived(new Panels(offset, n, k, wr, wc), () -> {
      float[] into = new float[Math.toIntExact(CpuMatMul.packed(n, k))];
      boolean packed = wr == k && wc == 1 && w.storage()
          .elsewhere(source -> Parallel.rows(CpuMatMul.panels(n), 1, (from, to) -> {
        int j0 = from * CpuMatMul.NR, count = Math.min(n, to * CpuMatMul.NR) - j0;
        float[] rows = CpuMatMul.stripe(count * k);
        source.copy(offset + (long) j0 * k, rows, 0, count * k);
        Slabs.packPanels(n, k, from, count, rows, 0, 1, k, into);
      }));
      return packed ? into : Slabs.pack(n, k, array(w), offset, wc, wr, into);
    });
  }

  public static float[] array(Tensor t) { return (float[]) t.storage().block(); }
}
