package jacquard.kernels.cpu;

import jacquard.tensor.DType;
import jacquard.tensor.Device;
import java.lang.reflect.Array;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;

/// Heap arrays by size class. A class is a whole number of steps minus the array header, so that a large array fills
/// G1's regions. Where no array of a class is free, a longer free one serves: what backward frees of the activations
/// holds the gradients.
final class Pool {
  private static final boolean POISON = Boolean.getBoolean("jacquard.poison");
  /// What the launcher sets as G1's region: a large array occupies whole ones.
  private static final long REGION = 1 << 20;
  /// A free array serves requests down to this part of its length, from `SHARED` elements on: small tensors live long,
  /// and would hold it. (Of captions of changing length a quarter takes a sixth more memory, two thirds a fourteenth.)
  private static final int PART = 2, SHARED = 1 << 14;

  private final Map<DType, TreeMap<Integer, ArrayDeque<Object>>> free = new EnumMap<>(DType.class);
  private long blocks, bytes, kept, most;

  /// The length of the array that holds `size` elements.
  private static int length(DType dtype, long size) {
    long want = size * dtype.bytes() + 16;
    long step = Math.clamp(Long.highestOneBit(Math.max(1, want - 1)) >> 4, 64, REGION / 16);
    long length = ((want + step - 1) / step * step - 16) / dtype.bytes();
    if (length > Integer.MAX_VALUE - 8)
      throw new IllegalArgumentException(size + " elements of " + dtype + " are more than an array can hold");
    return (int) length;
  }

  Object allocate(DType dtype, long size) {
    int n = length(dtype, size);
    synchronized (this) {
      blocks++;
      var arrays = free.get(dtype);
      var fit = arrays == null ? null : arrays.ceilingEntry(n);
      if (fit != null && (fit.getKey() == n || n >= SHARED && fit.getKey() / PART <= n)) {
        if (fit.getValue().size() == 1) arrays.remove(fit.getKey());
        bytes += (long) fit.getKey() * dtype.bytes();
        kept -= (long) fit.getKey() * dtype.bytes();
        return fit.getValue().pop();
      }
      bytes += (long) n * dtype.bytes();
      most = Math.max(most, bytes + kept);
    }
    try { return dtype.array(n); }
    catch (OutOfMemoryError e) {
      synchronized (this) { free.clear(); kept = 0; }
      try { return dtype.array(n); }
      catch (OutOfMemoryError again) {
        long held = live().bytes() - (long) n * dtype.bytes();
        long max = Runtime.getRuntime().maxMemory();
        synchronized (this) { blocks--; bytes -= (long) n * dtype.bytes(); }
        var error =
            new OutOfMemoryError(("tensor of %,d %s: asked %,d bytes, held %,d by tensors, heap %,d; start Java with "
            + "-Xmx%dm or more")
            .formatted(size, dtype, (long) n * dtype.bytes(), held, max,
                (Math.max(max, held) + 2L * n * dtype.bytes()) >> 20));
        throw error;
      }
    }
  }

  void free(DType dtype, Object block) {
    int n = Array.getLength(block);
    if (POISON) poison(block);
    synchronized (this) {
      blocks--;
      bytes -= (long) n * dtype.bytes();
      if (kept > Runtime.getRuntime().maxMemory() / 2) return;
      kept += (long) n * dtype.bytes();
      free.computeIfAbsent(dtype, _ -> new TreeMap<>()).computeIfAbsent(n, _ -> new ArrayDeque<>()).push(block);
    }
  }

  /// NaN, or a number that no index and no label can be.
  private static void poison(Object block) {
    switch (block) {
      case float[] a -> Arrays.fill(a, Float.NaN);
      case short[] a -> Arrays.fill(a, (short) 0x7fff);
      case int[] a -> Arrays.fill(a, 0x5a5a5a5a);
      case long[] a -> Arrays.fill(a, 0x5a5a5a5a5a5a5a5aL);
      case byte[] a -> Arrays.fill(a, (byte) 0x5a);
      default -> throw new IllegalStateException();
    }
  }

  /// The most bytes of arrays, those that are free among them.
  synchronized long most() { return most; }

  synchronized Device.Live live() { return new Device.Live(blocks, bytes); }
}
