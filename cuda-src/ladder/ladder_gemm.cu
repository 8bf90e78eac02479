// How the matrix product came to be: C [m, n] = A [m, k] · Bᵀ, B [n, k], BF16 factors, FP32 sums. One idea a rung; what is shipped is matmul.cu.
//
//   rung  idea                                        bytes from memory a multiply-add   TFLOP/s on a GPU
//   1     a thread an element                         4                                  not measured on a GPU
//   2     tiles of 32×32 in shared memory             4/32                               not measured on a GPU
//   3     a thread 4×4 elements, in registers         4/64, and 1/4 of the shared reads  not measured on a GPU
//   4     tensor cores: mma.sync, ldmatrix            4/64                               not measured on a GPU
//   5     cp.async, three slices in flight            4/64, and the wait is hidden       not measured on a GPU
//   top   128×128 tiles, split k, epilogues           4/128                              not measured on a GPU
#include "../include/pack.cuh"
#include "../include/warp.cuh"

struct LadderGemmArguments { const bf16 *a, *b; float* c; int m, n, k; };

KERNEL(ladder_gemm_1, LadderGemmArguments, 256) {
  const int row = blockIdx.y * 16 + threadIdx.x / 16, column = blockIdx.x * 16 + threadIdx.x % 16;
  if (row >= p.m || column >= p.n) return;
  float sum = 0.f;
  for (int k = 0; k < p.k; k++) sum = fmaf(to_float(p.a[static_cast<long long>(row) * p.k + k]), to_float(p.b[static_cast<long long>(column) * p.k + k]), sum);
  p.c[static_cast<long long>(row) * p.n + column] = sum;
}

/// Element (r, k) of a stored matrix of `rows` rows, 0 outside.
DEVICE bf16 element(const bf16* x, int r, int k, int rows, int columns) { return r < rows && k < columns ? x[static_cast<long long>(r) * columns + k] : bf16{0}; }

KERNEL(ladder_gemm_2, LadderGemmArguments, 1024) {
  constexpr int SIDE = 32, LD = SIDE + 1;
  float *a = shared_memory<float>(), *b = a + SIDE * LD;
  const int r = threadIdx.x / SIDE, c = threadIdx.x % SIDE, row = blockIdx.y * SIDE + r, column = blockIdx.x * SIDE + c;
  float sum = 0.f;
  for (int k0 = 0; k0 < p.k; k0 += SIDE) {
    a[r * LD + c] = to_float(element(p.a, row, k0 + c, p.m, p.k));
    b[r * LD + c] = to_float(element(p.b, blockIdx.x * SIDE + r, k0 + c, p.n, p.k));
    __syncthreads();
    for (int k = 0; k < SIDE; k++) sum = fmaf(a[r * LD + k], b[c * LD + k], sum);
    __syncthreads();
  }
  if (row < p.m && column < p.n) p.c[static_cast<long long>(row) * p.n + column] = sum;
}

KERNEL(ladder_gemm_3, LadderGemmArguments, 256) {
  constexpr int SIDE = 64, BK = 16, LD = SIDE + 1;
  float *a = shared_memory<float>(), *b = a + BK * LD;
  const int ty = threadIdx.x / 16, tx = threadIdx.x % 16, m0 = blockIdx.y * SIDE, n0 = blockIdx.x * SIDE;
  float sum[4][4] = {};
  for (int k0 = 0; k0 < p.k; k0 += BK) {
    for (int i = threadIdx.x; i < SIDE * BK; i += 256) {
      a[i % BK * LD + i / BK] = to_float(element(p.a, m0 + i / BK, k0 + i % BK, p.m, p.k));
      b[i % BK * LD + i / BK] = to_float(element(p.b, n0 + i / BK, k0 + i % BK, p.n, p.k));
    }
    __syncthreads();
    for (int k = 0; k < BK; k++) {
      float x[4], y[4];
      UNROLL for (int i = 0; i < 4; i++) { x[i] = a[k * LD + ty + 16 * i]; y[i] = b[k * LD + tx + 16 * i]; }
      UNROLL for (int i = 0; i < 4; i++) UNROLL for (int j = 0; j < 4; j++) sum[i][j] = fmaf(x[i], y[j], sum[i][j]);
    }
    __syncthreads();
  }
  UNROLL for (int i = 0; i < 4; i++) UNROLL for (int j = 0; j < 4; j++) {
    const int row = m0 + ty + 16 * i, column = n0 + tx + 16 * j;
    if (row < p.m && column < p.n) p.c[static_cast<long long>(row) * p.n + column] = sum[i][j];
  }
}

/// Four warps of 32×32 make 64×64 of C. Rows in shared memory are padded by 8 elements, so that ldmatrix meets no bank twice.
constexpr int GEMM_SIDE = 64, GEMM_K = 32, GEMM_ROW = GEMM_K + 8, GEMM_SLICE = GEMM_SIDE * GEMM_ROW;

DEVICE void multiply_slice(float (&c)[2][4][4], const bf16* a, const bf16* b) {
  const bf16 *aw = a + warp() / 2 * 32 * GEMM_ROW, *bw = b + warp() % 2 * 32 * GEMM_ROW;
  UNROLL for (int k = 0; k < GEMM_K; k += 16) {
    unsigned fa[2][4], fb[2][4];
    UNROLL for (int i = 0; i < 2; i++) {
      load_matrix_x4(fa[i], aw + (i * 16 + (lane() & 15)) * GEMM_ROW + k + (lane() >> 4) * 8);
      load_matrix_x4(fb[i], bw + (i * 16 + (lane() & 7) + (lane() >> 4) * 8) * GEMM_ROW + k + ((lane() >> 3) & 1) * 8);
    }
    UNROLL for (int i = 0; i < 2; i++) UNROLL for (int j = 0; j < 4; j++) {
      unsigned f[2] = {fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]};
      multiply_add(c[i][j], fa[i], f);
    }
  }
}

DEVICE void store_tile(const LadderGemmArguments& p, const float (&c)[2][4][4]) {
  UNROLL for (int i = 0; i < 2; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int e = 0; e < 4; e++) {
    const int row = blockIdx.y * GEMM_SIDE + warp() / 2 * 32 + i * 16 + fragment_row() + e / 2 * 8, column = blockIdx.x * GEMM_SIDE + warp() % 2 * 32 + j * 8 + fragment_column() + e % 2;
    if (row < p.m && column < p.n) p.c[static_cast<long long>(row) * p.n + column] = c[i][j][e];
  }
}

KERNEL(ladder_gemm_4, LadderGemmArguments, 128) {
  bf16 *a = shared_memory<bf16>(), *b = a + GEMM_SLICE;
  float c[2][4][4] = {};
  for (int k0 = 0; k0 < p.k; k0 += GEMM_K) {
    for (int i = threadIdx.x; i < GEMM_SIDE * GEMM_K; i += 128) {
      const int r = i / GEMM_K, k = i % GEMM_K;
      a[r * GEMM_ROW + k] = element(p.a, blockIdx.y * GEMM_SIDE + r, k0 + k, p.m, p.k);
      b[r * GEMM_ROW + k] = element(p.b, blockIdx.x * GEMM_SIDE + r, k0 + k, p.n, p.k);
    }
    __syncthreads();
    multiply_slice(c, a, b);
    __syncthreads();
  }
  store_tile(p, c);
}

/// k is a multiple of 8.
KERNEL(ladder_gemm_5, LadderGemmArguments, 128) {
  constexpr int STAGES = 3;
  bf16 *a = shared_memory<bf16>(), *b = a + STAGES * GEMM_SLICE;
  const int slices = ceil_div(p.k, GEMM_K);
  auto load = [&](int s) {
    if (s < slices)
      for (int i = threadIdx.x; i < GEMM_SIDE * GEMM_K / 8; i += 128) {
        const int r = i / (GEMM_K / 8), k = s * GEMM_K + i % (GEMM_K / 8) * 8, row = blockIdx.y * GEMM_SIDE + r, column = blockIdx.x * GEMM_SIDE + r, to = s % STAGES * GEMM_SLICE + r * GEMM_ROW + k % GEMM_K;
        const bool in_a = row < p.m && k < p.k, in_b = column < p.n && k < p.k;
        copy_async(a + to, in_a ? p.a + static_cast<long long>(row) * p.k + k : p.a, in_a);
        copy_async(b + to, in_b ? p.b + static_cast<long long>(column) * p.k + k : p.b, in_b);
      }
    copy_commit();
  };
  float c[2][4][4] = {};
  for (int s = 0; s < STAGES - 1; s++) load(s);
  for (int s = 0; s < slices; s++) {
    copy_wait<STAGES - 2>();
    __syncthreads();
    load(s + STAGES - 1);
    multiply_slice(c, a + s % STAGES * GEMM_SLICE, b + s % STAGES * GEMM_SLICE);
  }
  copy_wait<0>();
  store_tile(p, c);
}
