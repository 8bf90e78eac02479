package jacquard.tests;

import jacquard.tensor.DType;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import java.lang.reflect.Array;
import java.util.Arrays;

/// How a tensor lies in its storage. Whatever surrounds it is poison: NaN, or numbers that no index and no label can
/// be.
public enum Placement {
  /// Row-major from the first element; poison after the last.
  DENSE,
  /// Row-major, poison before and after.
  OFFSET,
  /// Column-major: the axes reversed.
  TRANSPOSED,
  /// A slice of every axis, poison all around.
  SLICED,
  /// Every third element.
  STRIDED;

  private static final int GUARD = 37;

  /// A tensor in this placement, and the larger one that it lies in.
  public record Placed(Tensor tensor, Tensor whole) {}

  static Object array(DType dtype, int n) {
    return switch (dtype) {
      case F32 -> new float[n];
      case BF16, F16 -> new short[n];
      case I32 -> new int[n];
      case I64 -> new long[n];
      case U8, BOOL -> new byte[n];
    };
  }

  static Object poison(DType dtype, int n) {
    Object a = array(dtype, n);
    switch (a) {
      case float[] f -> Arrays.fill(f, Float.NaN);
      case short[] s -> Arrays.fill(s, (short) 0x7fff);                // NaN in both 16-bit formats
      case int[] i -> Arrays.fill(i, 0x5a5a5a5a);
      case long[] l -> Arrays.fill(l, 0x5a5a5a5a5a5a5a5aL);
      case byte[] b -> Arrays.fill(b, (byte) 0x5a);
      default -> throw new IllegalStateException();
    }
    return a;
  }

  /// An output: poison everywhere, row-major from the first element, and poison after it.
  public static Placed output(Type type) {
    int n = Math.toIntExact(type.shape().size());
    var whole = Tensor.ofArray(new Type(type.dtype(), Shape.of(n + GUARD)), poison(type.dtype(), n + GUARD));
    return new Placed(whole.slice(0, 0, n).reshape(type.shape()), whole);
  }

  public Placed place(Sample s) {
    var shape = s.type().shape();
    int n = s.values().length, rank = shape.rank();
    int[] big = shape.dims();
    int size = switch (this) {
      case DENSE -> n + GUARD;
      case OFFSET -> n + 2 * GUARD;
      case TRANSPOSED -> n;
      case SLICED -> {
        for (int a = 0; a < rank; a++) big[a] += 2;
        yield Math.toIntExact(Shape.of(big).size());
      }
      case STRIDED -> 3 * n;
    };
    int[] at = new int[n];
    for (int i = 0; i < n; i++) at[i] = switch (this) {
      case DENSE -> i;
      case OFFSET -> i + GUARD;
      case STRIDED -> 3 * i + 1;
      case TRANSPOSED, SLICED -> {
        int rest = i, to = 0, step = 1;
        int[] p = new int[rank];
        for (int a = rank - 1; a >= 0; a--) { p[a] = rest % shape.dim(a); rest /= shape.dim(a); }
        if (this == TRANSPOSED) for (int a = 0; a < rank; a++) { to += p[a] * step; step *= shape.dim(a); }
        else for (int a = rank - 1; a >= 0; a--) { to += (p[a] + 1) * step; step *= big[a]; }
        yield to;
      }
    };
    Object a = poison(s.type().dtype(), size);
    for (int i = 0; i < n; i++) s.write(a, at[i], i);
    var whole = Tensor.ofArray(new Type(s.type().dtype(), Shape.of(size)), a);
    return new Placed(view(whole, shape, Shape.of(big), n), whole);
  }

  private Tensor view(Tensor whole, Shape shape, Shape big, int n) {
    int rank = shape.rank();
    return switch (this) {
      case DENSE -> whole.slice(0, 0, n).reshape(shape);
      case OFFSET -> whole.slice(0, GUARD, GUARD + n).reshape(shape);
      case TRANSPOSED -> {
        int[] reversed = new int[rank], axes = new int[rank];
        for (int i = 0; i < rank; i++) { reversed[i] = shape.dim(rank - 1 - i); axes[i] = rank - 1 - i; }
        yield whole.reshape(Shape.of(reversed)).permute(axes);
      }
      case SLICED -> {
        var t = whole.reshape(big);
        for (int i = 0; i < rank; i++) t = t.slice(i, 1, 1 + shape.dim(i));
        yield t;
      }
      case STRIDED -> {
        int[] d = Arrays.copyOf(shape.dims(), rank + 1);
        d[rank] = 3;
        yield whole.reshape(Shape.of(d)).slice(rank, 1, 2).reshape(shape);
      }
    };
  }

  /// Whether two arrays of one dtype hold the same bits.
  public static boolean same(Object a, Object b) {
    if (a instanceof float[] x && b instanceof float[] y) {                        // NaNs too are compared as bits
      for (int i = 0; i < x.length; i++)
        if (Float.floatToRawIntBits(x[i]) != Float.floatToRawIntBits(y[i])) return false;
      return x.length == y.length;
    }
    int n = Array.getLength(a);
    if (n != Array.getLength(b)) return false;
    for (int i = 0; i < n; i++) if (!Array.get(a, i).equals(Array.get(b, i))) return false;
    return true;
  }
}
