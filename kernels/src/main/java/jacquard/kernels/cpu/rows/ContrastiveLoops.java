package jacquard.kernels.cpu.rows;

import static jacquard.kernels.cpu.Simd.F;
import static jacquard.kernels.cpu.Simd.LANES;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;

import jacquard.kernels.cpu.Simd;

/// The loops of [CpuContrastive] over a row of a tile: n products from `z[at]` on, in backward slopes from `g[at]` on.
final class ContrastiveLoops {
  private ContrastiveLoops() {}

  /// m[j] ← max(m[j], z[j])
  static void raise(float[] m, float[] z, int at, int n) {
    int j = 0;
    for (; j <= n - LANES; j += LANES) fromArray(F, m, j).max(fromArray(F, z, at + j)).intoArray(m, j);
    for (; j < n; j++) m[j] = Math.max(m[j], z[at + j]);
  }

  /// sum[j] += e^(z[j] − m[j])
  static void addExp(float[] z, int at, float[] m, float[] sum, int j0, int n) {
    int j = 0;
    for (; j <= n - LANES; j += LANES)
      fromArray(F, sum, j0 + j).add(Simd.exp(fromArray(F, z, at + j).sub(fromArray(F, m, j)))).intoArray(sum, j0 + j);
    for (; j < n; j++) sum[j0 + j] += Simd.exp(z[at + j] - m[j]);
  }

  /// g ← k·e^(scale·z − shift)
  static void rowSlopes(float[] z, float[] g, int at, float scale, float shift, float k, int n) {
    int j = 0;
    for (; j <= n - LANES; j += LANES)
      Simd.exp(fromArray(F, z, at + j).mul(scale).sub(shift)).mul(k).intoArray(g, at + j);
    for (; j < n; j++) g[at + j] = Simd.exp(z[at + j] * scale - shift) * k;
  }

  /// g ← e^−|scale·z + bias|
  static void expMinus(float[] z, float[] g, int at, float scale, float bias, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES)
      Simd.exp(fromArray(F, z, at + i).fma(broadcast(F, scale), broadcast(F, bias)).abs().neg()).intoArray(g, at + i);
    for (; i < n; i++) g[at + i] = Simd.exp(-Math.abs(Math.fma(z[at + i], scale, bias)));
  }

  /// g ← softplus(scale·z + bias), where g is what [#expMinus] made; returns the sum.
  static float softplusSum(float[] z, float[] g, int at, float scale, float bias, int n) {
    int i = 0;
    for (; i <= n - LANES; i += LANES)
      Simd.softplus(fromArray(F, z, at + i).fma(broadcast(F, scale), broadcast(F, bias)), fromArray(F, g, at + i))
          .intoArray(g, at + i);
    for (; i < n; i++) g[at + i] = Simd.softplus(Math.fma(z[at + i], scale, bias), g[at + i]);
    return Simd.sum(g, at, n);
  }

  /// g ← k·σ(scale·z + bias)
  static void sigmoidSlopes(float[] z, float[] g, int at, float scale, float bias, float k, int n) {
    int j = 0;
    for (; j <= n - LANES; j += LANES)
      Simd.sigmoid(fromArray(F, z, at + j).fma(broadcast(F, scale), broadcast(F, bias))).mul(k).intoArray(g, at + j);
    for (; j < n; j++) g[at + j] = Simd.sigmoid(Math.fma(z[at + j], scale, bias)) * k;
  }
}
