package jacquard.clip.checkpoint;

import jacquard.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/// A tensor of some file that is made when its bytes are asked for: where it lies, or joined, cut and turned from
/// others. Row-major, little-endian.
public record Piece(Stored stored, Shape shape, Content content) {
  /// The elements, as a file holds them.
  @FunctionalInterface public interface Content { MemorySegment bytes() throws IOException; }

  /// A tensor of some weights.
  public static Piece of(Weights weights, String name) throws IOException {
    var entry = weights.entry(name);
    return new Piece(entry.stored(), entry.shape(), () -> weights.bytes(name));
  }

  public MemorySegment bytes() throws IOException { return content.bytes(); }

  long byteCount() { return Math.multiplyExact(shape.size(), (long) stored.bytes()); }

  /// The same elements in another shape of as many.
  public Piece reshape(int... dims) {
    var to = Shape.of(dims);
    if (to.size() != shape.size()) throw new IllegalArgumentException(shape + " cannot become " + to);
    return new Piece(stored, to, content);
  }

  /// The element `i` of the outermost axis.
  public Piece at(int i) {
    int[] d = shape.dims();
    return part(i, i + 1).reshape(Arrays.copyOfRange(d, 1, d.length));
  }

  /// The elements `from … to − 1` of the outermost axis.
  public Piece part(int from, int to) {
    int[] d = shape.dims().clone();
    if (d.length == 0 || from < 0 || to > d[0] || from > to)
      throw new IllegalArgumentException("no rows " + from + " … " + to + " in " + shape);
    long row = d[0] == 0 ? 0 : byteCount() / d[0];
    d[0] = to - from;
    return new Piece(stored, Shape.of(d), () -> bytes().asSlice(from * row, (to - from) * row));
  }

  /// Pieces one behind the other along the outermost axis; of different types, all become F32.
  public static Piece joined(List<Piece> pieces) {
    if (pieces.size() == 1) return pieces.getFirst();
    var same = pieces.stream().map(Piece::stored).distinct().count() == 1 ? pieces
        : pieces.stream().map(Piece::wide).toList();
    int[] d = same.getFirst().shape.dims().clone();
    d[0] = 0;
    for (var p : same) {
      int[] o = p.shape.dims();
      if (o.length != d.length || !Arrays.equals(o, 1, o.length, d, 1, d.length))
        throw new IllegalArgumentException("shapes " + same.stream().map(Piece::shape).toList() + " do not join");
      d[0] = Math.addExact(d[0], o[0]);
    }
    return new Piece(same.getFirst().stored, Shape.of(d), () -> {
      byte[] r = array(same.stream().mapToLong(Piece::byteCount).sum());
      int at = 0;
      for (var p : same) {
        MemorySegment.copy(p.bytes(), ValueLayout.JAVA_BYTE, 0, r, at, (int) p.byteCount());
        at += (int) p.byteCount();
      }
      return MemorySegment.ofArray(r);
    });
  }

  /// The axes in another order: axis `i` of the result is axis `axes[i]`.
  public Piece turned(int... axes) {
    int[] d = shape.dims(), to = new int[axes.length];
    if (d.length != axes.length)
      throw new IllegalArgumentException("a tensor is " + shape + ", expected " + axes.length + " axes");
    long[] stride = new long[axes.length], own = strides(d);
    for (int i = 0; i < axes.length; i++) {
      to[i] = d[axes[i]];
      stride[i] = own[axes[i]];
    }
    return new Piece(stored, Shape.of(to), () -> gathered(bytes(), stored.bytes(), to, stride));
  }

  /// The same as F32.
  public Piece wide() {
    if (stored == Stored.F32) return this;
    return new Piece(Stored.F32, shape, () -> {
      byte[] r = array(4 * shape.size());
      float[] v = Elements.floats(null, new Weights.Entry("", stored, shape, 0, byteCount()), bytes());
      MemorySegment.copy(v, 0, MemorySegment.ofArray(r), Elements.FLOAT, 0, v.length);
      return MemorySegment.ofArray(r);
    });
  }

  /// The sum with another of the same shape, as F32.
  public Piece plus(Piece other) {
    if (!shape.equals(other.shape)) throw new IllegalArgumentException(shape + " and " + other.shape + " do not add");
    Piece a = wide(), b = other.wide();
    return new Piece(Stored.F32, shape, () -> {
      MemorySegment x = a.bytes(), y = b.bytes(), r = MemorySegment.ofArray(array(4 * shape.size()));
      for (long at = 0; at < r.byteSize(); at += 4)
        r.set(Elements.FLOAT, at, x.get(Elements.FLOAT, at) + y.get(Elements.FLOAT, at));
      return r;
    });
  }

  /// The same as F16, to the nearest.
  public Piece half() {
    if (stored == Stored.F16) return this;
    var wide = wide();
    return new Piece(Stored.F16, shape, () -> {
      var from = wide.bytes();
      byte[] r = array(2 * shape.size());
      var to = MemorySegment.ofArray(r);
      for (int i = 0; i < r.length / 2; i++)
        to.set(Elements.SHORT, 2L * i, Float.floatToFloat16(from.get(Elements.FLOAT, 4L * i)));
      return to;
    });
  }

  /// Strides of a row-major tensor.
  public static long[] strides(int[] dims) {
    long[] r = new long[dims.length];
    long step = 1;
    for (int i = dims.length - 1; i >= 0; i--) {
      r[i] = step;
      step *= Math.max(1, dims[i]);
    }
    return r;
  }

  /// The elements at `Σ index·stride`, row-major.
  public static MemorySegment gathered(MemorySegment from, int width, int[] dims, long[] stride) throws IOException {
    long count = 1;
    for (int d : dims) count *= d;
    byte[] r = array(count * width);
    int[] index = new int[dims.length];
    long source = 0;
    for (int at = 0; at < r.length; at += width) {
      MemorySegment.copy(from, ValueLayout.JAVA_BYTE, source * width, r, at, width);
      for (int i = dims.length - 1; i >= 0; i--) {
        source += stride[i];
        if (++index[i] < dims[i]) break;
        source -= dims[i] * stride[i];
        index[i] = 0;
      }
    }
    return MemorySegment.ofArray(r);
  }

  private static byte[] array(long size) throws IOException {
    if (size > Integer.MAX_VALUE - 8)
      throw new IOException("a tensor of " + size + " bytes, more than can be rearranged in memory");
    return new byte[(int) size];
  }
}
