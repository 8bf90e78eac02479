package jacquard.kernels.mpi;

import jacquard.tensor.Group.Stretch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Large tensors in blocks, of which some are nothing but zeros on all ranks: there is nothing to send or to add. Most
/// of a token table's gradient is such, since a step's captions have few of its tokens.
///
/// @param filled the parts with other elements, and all smaller tensors
/// @param zero   the rest
record Blocks(List<Stretch> filled, List<Stretch> zero) {
  private static final int SIZE = 256;
  /// Elements of a tensor from which on it is looked through.
  private static final int FEWEST = 1 << 16;
  private static final float[] ZEROS = new float[SIZE];

  /// Blocks of a tensor; 0 for one that is not looked through.
  private static int count(Stretch s) {
    return s.array() instanceof float[] && s.count() >= FEWEST ? Math.ceilDiv(s.count(), SIZE) : 0;
  }

  /// A bit for each block of the tensors, set where an element is another than +0. As many on all ranks.
  static long[] look(List<Stretch> all) {
    long[] bits = new long[Math.ceilDiv(all.stream().mapToInt(Blocks::count).sum(), 64)];
    int b = 0;
    for (var s : all)
      for (int i = 0, n = count(s); i < n; i++, b++) {
        int from = s.from() + i * SIZE, k = Math.min(SIZE, s.count() - i * SIZE);
        if (Arrays.mismatch((float[]) s.array(), from, from + k, ZEROS, 0, k) >= 0) bits[b / 64] |= 1L << b;
      }
    return bits;
  }

  /// The tensors by those bits, in stretches as long as can be.
  static Blocks of(List<Stretch> all, long[] bits) {
    var r = new Blocks(new ArrayList<>(), new ArrayList<>());
    int b = 0;
    for (var s : all) {
      int n = count(s);
      if (n == 0) r.filled.add(s);
      for (int i = 0, end; i < n; i = end) {
        boolean set = set(bits, b + i);
        for (end = i + 1; end < n && set(bits, b + end) == set;) end++;
        var part = new Stretch(s.array(), s.from() + i * SIZE, Math.min(s.count(), end * SIZE) - i * SIZE);
        (set ? r.filled : r.zero).add(part);
      }
      b += n;
    }
    return r;
  }

  private static boolean set(long[] bits, int b) { return (bits[b / 64] >> b & 1) != 0; }
}
