package jacquard.kernels.cuda.launch;

import static jacquard.kernels.cuda.CudaDevice.suffix;

import jacquard.kernels.cuda.Call;
import jacquard.kernels.cuda.CudaDevice;
import jacquard.tensor.DType;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Reduction;
import java.util.List;

/// Matrix products: `cuda-src/kernels/matmul.cu`.
public final class CudaMatMul {
  /// Columns of k that a step multiplies, by type; a split takes a multiple.
  private static final int SLICE_BF16 = 32, SLICE_F32 = 16;
  /// A sum over k is split where C has fewer tiles than this and k is long: enough to fill the largest GPU. A matter of
  /// shape, not of the device.
  private static final int TILES = 128, LONG = 1024, MOST_SPLITS = 32;
  private static final int STAGES = 3;

  /// A factor: where it lies, elements from row to row as stored, and whether what is stored is the transpose of what
  /// is multiplied.
  public record Factor(long address, int stride, boolean transposed) {}

  /// What is done to the product: C = f(A·B + bias [→ z]) + β·C + residual; 0 for what there is not. `wide`: C, z and
  /// residual are F32, A and B BF16; `wideBias` the same of the bias. `sums`: where Σ over k of op(A), F32 [m], goes
  /// beside.
  public record Epilogue(long bias, Activation activation, long z, long residual, float beta, boolean wide,
      boolean wideBias, long sums) {
    public static final Epilogue NONE = new Epilogue(0, Activation.NONE, 0, 0, 0, false);

    public Epilogue(long bias, Activation activation, long z, long residual, float beta, boolean wide) {
      this(bias, activation, z, residual, beta, wide, false, 0);
    }
  }

  private CudaMatMul() {}

  public static void matMul(CudaDevice device, boolean ta, boolean tb, Tensor a, Tensor b, Tensor c) {
    int m = c.dim(0), n = c.dim(1), k = a.dim(ta ? 0 : 1);
    product(device, a.dtype(), m, n, k, factor(device, a, ta), factor(device, b, tb), CudaDevice.address(c),
        Epilogue.NONE);
  }

  public static void linear(CudaDevice device, Fused.Linear op, List<Tensor> in, List<Tensor> out) {
    Tensor x = in.get(0), w = in.get(1), y = out.getFirst();
    long bias = op.bias() ? device.dense(in.get(2)) : 0;
    long z = op.isRecorded() ? CudaDevice.address(out.get(1)) : 0;
    long added = op.added() ? device.dense(in.getLast()) : 0;
    product(device, x.dtype(), x.dim(0), w.dim(0), x.dim(1), factor(device, x, false), factor(device, w, true),
        CudaDevice.address(y),
        new Epilogue(bias, op.activation(), z, added, 0, y.dtype() != x.dtype(),
            op.bias() && in.get(2).dtype() != x.dtype(), 0));
  }

  /// dW = dzᵀ·x, and db = Σ rows of dz by the blocks that have them in shared memory anyway; out: dW, [db] in F32.
  public static void weightGradient(CudaDevice device, boolean bias, Tensor x, Tensor dz, List<Tensor> out) {
    int n = dz.dim(1), k = x.dim(1);
    var a = factor(device, dz, true);
    if (bias && !a.transposed) a = new Factor(device.dense(dz), n, true);
    boolean apart = bias && (k == 0 || device.vendors().blas() != null);       // no block has dz in shared memory
    if (apart) CudaReduction.run(device, new Reduction.Sum(new int[] {0}, false), dz, out.get(1));
    product(device, x.dtype(), n, k, x.dim(0), a, factor(device, x, false), CudaDevice.address(out.get(0)),
        new Epilogue(0, Activation.NONE, 0, 0, 0, x.dtype() != DType.F32, false,
            !bias || apart ? 0 : CudaDevice.address(out.get(1))));
  }

  /// op(t) as a factor: a matrix whose rows or columns are contiguous is read where it lies, any other is copied; for a
  /// vendor's library rows that overlap too.
  private static Factor factor(CudaDevice device, Tensor t, boolean transposed) {
    int rows = t.dim(0) == 1 ? t.dim(1) : t.layout().strides()[0];
    int columns = t.layout().strides()[1];
    boolean overlap = device.vendors().blas() == null;
    if ((columns == 1 || t.dim(1) == 1) && (overlap || rows >= t.dim(1)))
      return new Factor(CudaDevice.address(t), rows, transposed);
    if ((rows == 1 || t.dim(0) == 1) && (overlap || columns >= t.dim(0)))
      return new Factor(CudaDevice.address(t), columns, !transposed);
    return new Factor(device.dense(t), t.dim(1), transposed);
  }

  /// C [m,n] = op(A) [m,k] · op(B) [k,n].
  public static void product(CudaDevice device, DType type, int m, int n, int k, Factor a, Factor b, long c,
      Epilogue e) {
    product(device, type, m, n, k, a, b, c, e, Long.MAX_VALUE);
  }

  /// The same with at most so many bytes of partial sums.
  public static void product(CudaDevice device, DType type, int m, int n, int k, Factor a, Factor b, long c, Epilogue e,
      long partial) {
    if (m == 0 || n == 0) return;
    if (device.vendors().blas() != null && library(device, type, m, n, k, a, b, c, e)) return;
    boolean half = type == DType.BF16;
    boolean small = (long) Math.ceilDiv(m, 128) * Math.ceilDiv(n, 128) < TILES || m <= 64 || n <= 64;
    int tile = small ? half ? 64 : 32 : 128;
    product(device, type, m, n, k, a, b, c, e, tile,
        (int) Math.clamp(partial / (4L * m * n), 1, splits(m, n, k, tile)));
  }

  /// As above with a tile (128; 64 for BF16, 32 for F32) and a number of splits of k of the caller's choice.
  public static void product(CudaDevice device, DType type, int m, int n, int k, Factor a, Factor b, long c,
      Epilogue e, int tile, int splits) {
    boolean half = type == DType.BF16;
    int slice = half ? SLICE_BF16 : SLICE_F32;
    int share = Math.ceilDiv(Math.ceilDiv(k, slice), splits) * slice;
    splits = Math.max(1, Math.ceilDiv(k, Math.max(1, share)));
    long partial = splits > 1 ? device.temporary(4L * splits * m * (e.sums == 0 ? n : n + 1L)) : 0;
    int vectors = half ? (vector(a, k, m) ? 1 : 0) | (vector(b, n, k) ? 2 : 0) : 0;
    var name = (half ? "matmul_bf16_" : "matmul_f32_") + (a.transposed ? 't' : 'n') + (b.transposed ? 't' : 'n') + "_"
        + tile;
    pack(device.call(name), m, n, k, a, b, c, e, partial, share, splits, vectors)
        .blocks(Math.ceilDiv(n, tile), Math.ceilDiv(m, tile), splits, shared(half, tile, a.transposed, b.transposed));
    if (splits > 1)
      pack(device.call("matmul_finish" + suffix(type)), m, n, k, a, b, c, e, partial, share, splits, vectors)
          .over((long) m * n, 4);
  }

  /// By the vendor's library: an epilogue other than beta is then a kernel of its own, on a product kept in F32. False
  /// where the library does not take the factors.
  private static boolean library(CudaDevice device, DType type, int m, int n, int k, Factor a, Factor b, long c,
      Epilogue e) {
    if (k == 0 || a.stride < (a.transposed ? m : k) || b.stride < (b.transposed ? k : n)) return false;
    boolean half = type == DType.BF16;
    boolean plain = e.bias == 0 && e.activation == Activation.NONE && e.z == 0 && e.residual == 0;
    long to = plain ? c : device.temporary(4L * m * n);
    device.vendors().blas().product(half, !plain || e.wide, m, n, k, a.address, a.stride, a.transposed, b.address,
        b.stride, b.transposed, plain ? e.beta : 0, to);
    if (!plain)
      pack(device.call("matmul_finish" + suffix(type)), m, n, k, a, b, c, e, to, k, 1, 0).over((long) m * n, 4);
    return true;
  }

  private static Call pack(Call call, int m, int n, int k, Factor a, Factor b, long c, Epilogue e, long partial,
      int share, int splits, int vectors) {
    return call.pointer(a.address).pointer(b.address).pointer(c).pointer(e.bias).pointer(e.z).pointer(e.residual)
        .pointer(partial).pointer(e.sums)
        .i32(m).i32(n).i32(k).i32(a.stride).i32(b.stride).i32(share).i32(splits).i32(e.activation.ordinal())
            .i32((e.wide ? 1 : 0) | (e.wideBias ? 2 : 0)).i32(vectors).f32(e.beta);
  }

  /// As many parts of k as bring the blocks to [#TILES], none shorter than 256.
  private static int splits(int m, int n, int k, int tile) {
    long tiles = (long) Math.ceilDiv(m, tile) * Math.ceilDiv(n, tile);
    if (k < LONG || tiles >= TILES) return 1;
    return (int) Math.min(Math.min(TILES / tiles, k / 256), MOST_SPLITS);
  }

  /// Whether a BF16 factor can be read 16 bytes at a time: its start, its stride and its extent along what is
  /// contiguous are multiples of 8 elements.
  private static boolean vector(Factor f, int plain, int transposed) {
    return f.address % 16 == 0 && f.stride % 8 == 0 && (f.transposed ? transposed : plain) % 8 == 0;
  }

  /// Bytes of shared memory: slices of A and B, and after them the tile of sums in their place.
  private static int shared(boolean half, int tile, boolean ta, boolean tb) {
    int a = ta ? SLICE_BF16 * (tile + 8) : tile * (SLICE_BF16 + 8);
    int b = tb ? tile * (SLICE_BF16 + 8) : SLICE_BF16 * (tile + 8);
    int slices = half ? STAGES * (a + b) * 2 : 2 * 2 * SLICE_F32 * (tile + 1) * Float.BYTES;
    return Math.max(slices, tile * (tile + 4) * Float.BYTES);
  }
}
