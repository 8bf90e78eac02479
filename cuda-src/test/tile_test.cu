// One self-test for each wrapper of include/tile.cuh, by a single warp: the same on the emulation and on a GPU, so that their twins can be compared.
#include "../include/pack.cuh"
#include "../include/warp.cuh"

struct TileArguments {
  const bf16 *a, *b;
  float* c;
  int which;
};

/// c [16, 8] = a [16, 16] · b [16, 8], fragments by ldmatrix. which: 0 as it should be; 1 A's second and third fragment swapped, a wrong index on purpose;
/// 2 A stored transposed; 3 B stored transposed; 4 two products at once, b [16, 16], c [16, 16].
KERNEL(tile_multiply, TileArguments, 32) {
  bf16 *sa = shared_memory<bf16>(), *sb = sa + 16 * 24;
  bool wide = p.which >= 3;
  int columns = wide ? 16 : 8;
  for (int i = lane(); i < 32; i += WARP) copy_async(sa + i / 2 * 24 + i % 2 * 8, p.a + i * 8, true);
  for (int i = lane(); i < columns * 2; i += WARP) {
    int r = i / (columns / 8), c = i % (columns / 8) * 8;
    copy_async(sb + r * 24 + c, p.b + r * columns + c, true);
  }
  copy_commit();
  copy_wait<0>();
  __syncwarp();
  int m = lane() >> 3, r = lane() & 7;
  unsigned fa[4], f[4], f0[2];
  if (p.which == 2) load_matrix_x4_transposed(fa, sa + ((m >> 1) * 8 + r) * 24 + (m & 1) * 8);
  else load_matrix_x4(fa, sa + ((m & 1) * 8 + r) * 24 + (m >> 1) * 8);
  if (p.which == 1) { unsigned t = fa[1]; fa[1] = fa[2]; fa[2] = t; }
  float c0[4] = {0.f, 0.f, 0.f, 0.f}, c1[4] = {0.f, 0.f, 0.f, 0.f};
  if (!wide) {
    load_matrix_x2_transposed(f0, sb + (lane() & 15) * 24);
    multiply_add(c0, fa, f0);
  } else {
    if (p.which == 3) load_matrix_x4(f, sb + ((m >> 1) * 8 + r) * 24 + (m & 1) * 8);
    else load_matrix_x4_transposed(f, sb + ((m & 1) * 8 + r) * 24 + (m >> 1) * 8);
    unsigned lower[2] = {f[0], f[1]}, upper[2] = {f[2], f[3]};
    multiply_add(c0, fa, lower);
    multiply_add(c1, fa, upper);
  }
  UNROLL for (int e = 0; e < 4; e++) {
    float* row = p.c + (fragment_row() + (e >> 1) * 8) * columns + fragment_column() + (e & 1);
    row[0] = c0[e];
    if (wide) row[8] = c1[e];
  }
}

struct ScalarArguments {
  const float* x;
  float* y;
  int n;
};
/// y[i] = the two BF16 halves of pack_bf16(x[2i], x[2i + 1]) as floats; after them 2^x[i]; after them x through BF16 and back, one at a time, and through F16.
KERNEL(tile_scalars, ScalarArguments, 32) {
  for (int i = lane(); i < p.n; i += WARP) {
    p.y[p.n + i] = exp2_fast(p.x[i]);
    p.y[2 * p.n + i] = to_float(from_float<bf16>(p.x[i]));
    p.y[3 * p.n + i] = to_float(from_float<half16>(p.x[i]));
  }
  for (int i = lane(); i < p.n / 2; i += WARP) {
    unsigned u = pack_bf16(p.x[2 * i], p.x[2 * i + 1]);
    p.y[2 * i] = bf16_to_float(u & 0xffff);
    p.y[2 * i + 1] = bf16_to_float(u >> 16);
  }
}
