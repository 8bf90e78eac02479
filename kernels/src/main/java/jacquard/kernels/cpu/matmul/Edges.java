package jacquard.kernels.cpu.matmul;

import static jacquard.kernels.cpu.matmul.CpuMatMul.MR;
import static jacquard.kernels.cpu.matmul.CpuMatMul.NR;

import jacquard.kernels.cpu.Simd;
import jdk.incubator.vector.FloatVector;

/// From a tile `[MR, NR]` beside C to C: where C is added to, or has no room for a whole one.
final class Edges {
  private Edges() {}

  /// C (+)= the first `high` rows and `wide` columns of a tile.
  static void addEdge(boolean accumulate, int high, int wide, float[] tile, float[] c, int at, int cr) {
    for (int r = 0; r < high; r++, at += cr) {
      if (accumulate) for (int s = 0; s < wide; s++) c[at + s] += tile[r * NR + s];
      else System.arraycopy(tile, r * NR, c, at, wide);
    }
  }

  /// C += tile. Not part of the kernels: with it C2 gives up inlining there, and boxes accumulators.
  static void addTile(float[] tile, float[] c, int at, int cr) {
    for (int r = 0; r < MR; r++, at += cr) {
      FloatVector.fromArray(Simd.F, c, at).add(FloatVector.fromArray(Simd.F, tile, r * NR)).intoArray(c, at);
      FloatVector.fromArray(Simd.F, c, at + Simd.LANES).add(FloatVector.fromArray(Simd.F, tile, r * NR + Simd.LANES))
          .intoArray(c, at + Simd.LANES);
    }
  }
}
