package jacquard.kernels.mpi;

import jacquard.kernels.cpu.Parallel;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Elements of primitive arrays on their way out of the heap and back, how many of each rank, and their sums.
final class Elements {
  private static final int GRAIN = 32768, STRETCH = 2048;

  private Elements() {}

  static int turns(long elements, int most) { return (int) Math.max(1, Math.ceilDiv(elements, (long) most)); }

  /// Where piece t of so many begins in each part.
  static int[] cut(int[] counts, int t, int turns) {
    return Arrays.stream(counts).map(c -> (int) ((long) c * t / turns)).toArray();
  }

  static int[] minus(int[] a, int[] b) {
    int[] r = a.clone();
    for (int i = 0; i < r.length; i++) r[i] -= b[i];
    return r;
  }

  static int[] places(int[] counts) {
    int[] r = new int[counts.length];
    for (int i = 1; i < r.length; i++) r[i] = r[i - 1] + counts[i - 1];
    return r;
  }

  static int width(Object array) {
    return switch (array) {
      case byte[] _ -> 1;
      case short[] _ -> 2;
      case int[] _ -> 4;
      case float[] _ -> 4;
      case long[] _ -> 8;
      case double[] _ -> 8;
      default -> throw new IllegalArgumentException("elements of " + array.getClass().getSimpleName());
    };
  }

  static MemorySegment heap(Object array) {
    return switch (array) {
      case byte[] a -> MemorySegment.ofArray(a);
      case short[] a -> MemorySegment.ofArray(a);
      case int[] a -> MemorySegment.ofArray(a);
      case float[] a -> MemorySegment.ofArray(a);
      case long[] a -> MemorySegment.ofArray(a);
      case double[] a -> MemorySegment.ofArray(a);
      default -> throw new IllegalArgumentException("elements of " + array.getClass().getSimpleName());
    };
  }

  static void copy(Object array, int from, MemorySegment to, int count) {
    long w = width(array);
    MemorySegment.copy(heap(array), w * from, to, 0, w * count);
  }

  static void copy(MemorySegment from, Object array, int to, int count) {
    long w = width(array);
    MemorySegment.copy(from, 0, heap(array), w * to, w * count);
  }

  /// to[i] = factor·Σ over ranks of x[r·n + i], in the order of the ranks; by stretches that stay in the cache.
  static void addUp(MemorySegment x, int ranks, int n, float factor, MemorySegment to) {
    Parallel.rows(n, GRAIN, (first, end) -> {
      float[] sum = new float[STRETCH], other = new float[STRETCH];
      for (int i = first; i < end; i += STRETCH) {
        int k = Math.min(STRETCH, end - i);
        copy(x.asSlice(4L * i), sum, 0, k);
        for (int r = 1; r < ranks; r++) {
          copy(x.asSlice(4L * ((long) r * n + i)), other, 0, k);
          for (int j = 0; j < k; j++) sum[j] += other[j];
        }
        if (factor != 1) for (int j = 0; j < k; j++) sum[j] *= factor;
        copy(sum, 0, to.asSlice(4L * i), k);
      }
    });
  }
}
