package jacquard.kernels.cpu.matmul;

import static jacquard.kernels.cpu.matmul.CpuMatMul.ALIGNED;
import static jacquard.kernels.cpu.matmul.CpuMatMul.KC;
import static jacquard.kernels.cpu.matmul.CpuMatMul.NR;
import static jacquard.kernels.cpu.matmul.CpuMatMul.panels;

import jacquard.kernels.cpu.Parallel;

/// All of B in the panels that [CpuMatMul] multiplies by, slab by slab.
final class Slabs {
  private Slabs() {}

  /// Depth of the slabs that k is cut into: equal but for the last, at most KC.
  static int slab(int k) {
    int times = (k + KC - 1) / KC;
    return ((k + times - 1) / times + 15) / 16 * 16;
  }

  /// All of B [k,n], slab by slab: [slab][panel][depth][NR], from ALIGNED on. Returns `into`.
  static float[] pack(int n, int k, float[] b, int bo, int br, int bc, float[] into) {
    return pack(n, k, slab(k), b, bo, br, bc, into);
  }

  static float[] pack(int n, int k, int slab, float[] b, int bo, int br, int bc, float[] into) {
    Parallel.rows(panels(n), Math.max(1, 65536 / (NR * k)), (from, to) ->
        packPanels(n, k, slab, from, Math.min(n, to * NR) - from * NR, b, bo + from * NR * bc, br, bc, into));
    return into;
  }

  /// The panels from `panel` on of `columns` columns, which begin at `b[bo]`.
  static void packPanels(int n, int k, int panel, int columns, float[] b, int bo, int br, int bc, float[] into) {
    packPanels(n, k, slab(k), panel, columns, b, bo, br, bc, into);
  }

  private static void packPanels(int n, int k, int slab, int panel, int columns, float[] b, int bo, int br, int bc,
      float[] into) {
    for (int k0 = 0; k0 < k; k0 += slab) {
      int depth = Math.min(slab, k - k0);
      Packing.packB(into, ALIGNED + (k0 * panels(n) + panel * depth) * NR, depth, 0, columns, b, bo + k0 * br, br, bc);
    }
  }
}
