package jacquard.kernels.tcp;

import jacquard.tensor.Group;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/// A rank that is a process among processes, all joined with rank 0, which adds up in rank order. Meant for few
/// numbers, where NCCL moves the tensors; arrays of the host come through too, at the speed of one machine's network.
final class TcpGroup implements Group {
  /// Floats that are exchanged at once.
  private static final int PIECE = 1 << 21;

  private final Star star;
  private final int rank, size;

  TcpGroup(Star star, int rank, int size) {
    this.star = star;
    this.rank = rank;
    this.size = size;
  }

  @Override public int rank() { return rank; }
  @Override public int size() { return size; }
  @Override public boolean together() { return false; }
  @Override public void whenFailed(Runnable action) { star.whenFailed(action); }
  @Override public void away(String what) { star.away(what); }
  @Override public String toString() { return "rank " + rank + " of " + size; }

  @Override public List<Object> meet(String what, Object mine) {
    throw new UnsupportedOperationException("ranks of several processes have no objects in common: " + what);
  }

  /// The parts of all, in pieces of each: first how long they are.
  @Override public void allGather(String what, Stretch part, Stretch all) {
    double[] counts = new double[size];
    counts[rank] = part.count();
    counts = sum(what, counts);
    long total = (long) Arrays.stream(counts).sum();
    if (total != all.count())
      throw new IllegalArgumentException(
          what + ": parts of " + Arrays.toString(counts) + " elements, room for " + all.count());
    long longest = (long) Arrays.stream(counts).max().orElse(0);
    for (long from = 0; from < longest; from += PIECE) {
      int a = (int) Math.min(from, part.count()), b = (int) Math.min(from + PIECE, part.count());
      byte[] got = star.exchange(what, bytes(part, a, b - a), parts -> Collections.nCopies(size, joined(parts)));
      int at = all.from(), read = 0;
      for (int r = 0; r < size; r++) {
        int n = (int) (Math.min(from + PIECE, (long) counts[r]) - Math.min(from, (long) counts[r]));
        read = put(got, read, all, at + (int) Math.min(from, (long) counts[r]), n);
        at += (int) counts[r];
      }
    }
  }

  @Override public void reduceScatter(String what, Stretch all, int[] counts, Stretch part) {
    for (int k = 0, at = 0; k < size; at += counts[k++]) {
      int to = k;
      for (int from = 0; from < Math.max(1, counts[k]); from += PIECE) {
        int n = Math.min(PIECE, counts[k] - from);
        byte[] sum = star.exchange(what, bytes(all, at + from, n), parts -> {
          var r = new ArrayList<>(Collections.nCopies(size, new byte[0]));
          r.set(to, total(parts, 1));
          return r;
        });
        if (k == rank) put(sum, 0, part, part.from() + from, n);
      }
    }
  }

  /// The tensors one after another, in pieces.
  @Override public void allReduce(String what, float factor, List<Stretch> in, List<Stretch> out) {
    int i = 0, at = 0;
    while (i < in.size()) {
      int first = i, skip = at, n = 0;
      while (i < in.size() && n < PIECE) {
        int more = Math.min(PIECE - n, in.get(i).count() - at);
        n += more;
        if ((at += more) == in.get(i).count()) {
          i++;
          at = 0;
        }
      }
      var piece = ByteBuffer.allocate(4 * n).order(ByteOrder.nativeOrder());
      for (int k = first, from = skip; piece.hasRemaining(); k++, from = 0)
        piece.put(bytes(in.get(k), from, Math.min(piece.remaining() / 4, in.get(k).count() - from)));
      byte[] sum = star.exchange(what, piece.array(), parts -> Collections.nCopies(size, total(parts, factor)));
      for (int k = first, from = skip, read = 0; read < sum.length; k++, from = 0)
        read = put(sum, read, out.get(k), out.get(k).from() + from,
            Math.min((sum.length - read) / 4, out.get(k).count() - from));
    }
    if (in.isEmpty()) sum(what);
  }

  @Override public double[] sum(String what, double... values) {
    byte[] mine = new byte[8 * values.length];
    ByteBuffer.wrap(mine).asDoubleBuffer().put(values);
    byte[] got = star.exchange(what + " of " + values.length + " numbers", mine, parts -> {
      var r = ByteBuffer.allocate(8 * values.length);
      for (int i = 0; i < values.length; i++) {
        double s = 0;
        for (var p : parts) s += ByteBuffer.wrap(p).getDouble(8 * i);
        r.putDouble(s);
      }
      return Collections.nCopies(size, r.array());
    });
    double[] r = new double[values.length];
    ByteBuffer.wrap(got).asDoubleBuffer().get(r);
    return r;
  }

  void end() {
    sum("the end");
    star.close();
  }

  private static byte[] joined(List<byte[]> parts) {
    var r = ByteBuffer.allocate(parts.stream().mapToInt(p -> p.length).sum());
    parts.forEach(r::put);
    return r.array();
  }

  /// factor·Σ of floats, in rank order.
  private static byte[] total(List<byte[]> parts, float factor) {
    float[] sum = new float[parts.getFirst().length / 4], x = new float[sum.length];
    for (int r = 0; r < parts.size(); r++) {
      ByteBuffer.wrap(parts.get(r)).order(ByteOrder.nativeOrder()).asFloatBuffer().get(r == 0 ? sum : x);
      if (r > 0) for (int i = 0; i < x.length; i++) sum[i] += x[i];
    }
    if (factor != 1) for (int i = 0; i < sum.length; i++) sum[i] *= factor;
    var r = ByteBuffer.allocate(4 * sum.length).order(ByteOrder.nativeOrder());
    r.asFloatBuffer().put(sum);
    return r.array();
  }

  private static byte[] bytes(Stretch s, int from, int n) {
    int at = s.from() + from;
    var r = ByteBuffer.allocate(n * width(s.array())).order(ByteOrder.nativeOrder());
    switch (s.array()) {
      case byte[] a -> r.put(a, at, n);
      case short[] a -> r.asShortBuffer().put(a, at, n);
      case int[] a -> r.asIntBuffer().put(a, at, n);
      case float[] a -> r.asFloatBuffer().put(a, at, n);
      case long[] a -> r.asLongBuffer().put(a, at, n);
      default -> throw new IllegalArgumentException("elements of " + s.array().getClass().getSimpleName());
    }
    return r.array();
  }

  /// Returns where in `from` the next elements begin.
  private static int put(byte[] from, int read, Stretch s, int at, int n) {
    int bytes = n * width(s.array());
    var b = ByteBuffer.wrap(from, read, bytes).slice().order(ByteOrder.nativeOrder());
    switch (s.array()) {
      case byte[] a -> b.get(a, at, n);
      case short[] a -> b.asShortBuffer().get(a, at, n);
      case int[] a -> b.asIntBuffer().get(a, at, n);
      case float[] a -> b.asFloatBuffer().get(a, at, n);
      case long[] a -> b.asLongBuffer().get(a, at, n);
      default -> throw new IllegalArgumentException("elements of " + s.array().getClass().getSimpleName());
    }
    return read + bytes;
  }

  private static int width(Object array) {
    return switch (array) {
      case byte[] _ -> 1;
      case short[] _ -> 2;
      case int[] _, float[] _ -> 4;
      case long[] _ -> 8;
      default -> throw new IllegalArgumentException("elements of " + array.getClass().getSimpleName());
    };
  }
}
