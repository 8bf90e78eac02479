package jacquard.kernels.cpu.elementary;

import static jacquard.kernels.cpu.Simd.F;
import static jacquard.kernels.cpu.Simd.LANES;
import static jdk.incubator.vector.FloatVector.fromArray;

import jacquard.kernels.cpu.Dense;
import jacquard.kernels.cpu.Parallel;
import jacquard.kernels.cpu.Simd;
import jacquard.tensor.DType;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Elementwise;
import java.util.List;

/// One element from one element.
public final class CpuElementwise {
  /// Elements a piece: enough to pay for the hand-over, few enough to balance.
  private static final int GRAIN = 16384;

  private CpuElementwise() {}

  public static void run(Elementwise op, List<Tensor> in, Tensor out) {
    switch (op) {
      case Elementwise.Binary b -> CpuBroadcast.run(b, in.get(0), in.get(1), out);
      case Elementwise.Unary u  -> unary(u, Dense.of(in.getFirst()), Dense.of(out));
      case Elementwise.Cast _   -> cast(in.getFirst(), out);
    }
  }

  private interface Map { void run(float[] x, int xt, float[] y, int yt, int n); }

  private static void unary(Elementwise.Unary op, Dense in, Dense out) {
    Map f = switch (op) {
      case Elementwise.Affine(var k, var c) -> (x, xt, y, yt, n) -> affine(k, c, x, xt, y, yt, n);
      case Elementwise.Exp _      -> (x, xt, y, yt, n) -> Simd.expShifted(x, xt, 0, y, yt, n);
      case Elementwise.Log _      -> (x, xt, y, yt, n) -> {
        for (int i = 0; i < n; i++) y[yt + i] = (float) StrictMath.log(x[xt + i]);
      };
      case Elementwise.Sqrt _     -> (x, xt, y, yt, n) -> {
        for (int i = 0; i < n; i++) y[yt + i] = (float) Math.sqrt(x[xt + i]);
      };
      case Elementwise.Sigmoid _  -> CpuElementwise::sigmoid;
      case Elementwise.Tanh _     -> CpuElementwise::tanh;
      case Elementwise.Softplus _ -> CpuElementwise::softplus;
      case Elementwise.Clamp(var low, var high) -> (x, xt, y, yt, n) ->
          { for (int i = 0; i < n; i++) y[yt + i] = Math.min(Math.max(x[xt + i], low), high); };
      case Elementwise.Activate(var a) -> (x, xt, y, yt, n) -> CpuActivation.forward(a, null, 0, x, xt, y, yt, n);
    };
    Parallel.rows(in.size(), GRAIN, (from, to) -> f.run(in.a(), in.at() + from, out.a(), out.at() + from, to - from));
  }

  /// In vectors: C2 leaves a plain loop over two arrays with offsets of their own as it is, since they might be one.
  private static void affine(float k, float c, float[] x, int xt, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) fromArray(F, x, xt + i).mul(k).add(c).intoArray(y, yt + i);
    for (; i < n; i++) y[yt + i] = x[xt + i] * k + c;
  }

  private static void sigmoid(float[] x, int xt, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) Simd.sigmoid(fromArray(F, x, xt + i)).intoArray(y, yt + i);
    for (; i < n; i++) y[yt + i] = Simd.sigmoid(x[xt + i]);
  }

  private static void tanh(float[] x, int xt, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) Simd.tanh(fromArray(F, x, xt + i)).intoArray(y, yt + i);
    for (; i < n; i++) y[yt + i] = Simd.tanh(x[xt + i]);
  }

  private static void softplus(float[] x, int xt, float[] y, int yt, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES) Simd.softplus(fromArray(F, x, xt + i)).intoArray(y, yt + i);
    for (; i < n; i++) y[yt + i] = Simd.softplus(x[xt + i]);
  }

  /// dx = dy·f′(x)
  public static void activationGradient(Activation f, Dense x, Dense dy, Dense dx) {
    Parallel.rows(x.size(), GRAIN, (from, to) ->
        CpuActivation.gradient(f, x.a(), x.at() + from, dy.a(), dy.at() + from, dx.a(), dx.at() + from, to - from));
  }

  private static void cast(Tensor in, Tensor out) {
    int n = (int) in.shape().size();
    var t = in.layout().dense() ? in : in.copy();
    int at = t.layout().offset();
    if (!in.dtype().floating() && !out.dtype().floating()) { integers(t.storage().block(), at, out, n); return; }
    float[] wide = new float[n];
    switch (t.storage().block()) {
      case float[] a -> System.arraycopy(a, at, wide, 0, n);
      case short[] a when in.dtype() == DType.BF16 -> {
        for (int i = 0; i < n; i++) wide[i] = Float.intBitsToFloat(a[at + i] << 16);
      }
      case short[] a -> { for (int i = 0; i < n; i++) wide[i] = Float.float16ToFloat(a[at + i]); }
      case int[] a  -> { for (int i = 0; i < n; i++) wide[i] = a[at + i]; }
      case long[] a -> { for (int i = 0; i < n; i++) wide[i] = a[at + i]; }
      case byte[] a -> { for (int i = 0; i < n; i++) wide[i] = a[at + i] & 255; }
      default -> throw new IllegalStateException();
    }
    switch (out.storage().block()) {
      case float[] a -> System.arraycopy(wide, 0, a, 0, n);
      case short[] a when out.dtype() == DType.BF16 -> { for (int i = 0; i < n; i++) a[i] = DType.toBf16(wide[i]); }
      case short[] a -> { for (int i = 0; i < n; i++) a[i] = Float.floatToFloat16(wide[i]); }
      case int[] a  -> { for (int i = 0; i < n; i++) a[i] = (int) wide[i]; }
      case long[] a -> { for (int i = 0; i < n; i++) a[i] = (long) wide[i]; }
      case byte[] a when out.dtype() == DType.BOOL -> {
        for (int i = 0; i < n; i++) a[i] = (byte) (wide[i] != 0 ? 1 : 0);
      }
      case byte[] a -> { for (int i = 0; i < n; i++) a[i] = (byte) (int) wide[i]; }
      default -> throw new IllegalStateException();
    }
  }

  /// Among integers without the detour through floats, which hold them only up to 2²⁴.
  private static void integers(Object x, int at, Tensor out, int n) {
    long[] wide = new long[n];
    switch (x) {
      case int[] a  -> { for (int i = 0; i < n; i++) wide[i] = a[at + i]; }
      case long[] a -> System.arraycopy(a, at, wide, 0, n);
      case byte[] a -> { for (int i = 0; i < n; i++) wide[i] = a[at + i] & 255; }
      default -> throw new IllegalStateException();
    }
    switch (out.storage().block()) {
      case int[] a  -> { for (int i = 0; i < n; i++) a[i] = (int) wide[i]; }
      case long[] a -> System.arraycopy(wide, 0, a, 0, n);
      case byte[] a when out.dtype() == DType.BOOL -> {
        for (int i = 0; i < n; i++) a[i] = (byte) (wide[i] != 0 ? 1 : 0);
      }
      case byte[] a -> { for (int i = 0; i < n; i++) a[i] = (byte) wide[i]; }
      default -> throw new IllegalStateException();
    }
  }
}
