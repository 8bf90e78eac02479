// C [m,n] = f(op(A)·op(B) + bias) + residual, op the matrix or its transpose, accumulated in FP32.
//
//   BF16: tiles by mma.sync. cp.async brings 32 columns of A and B at a time into shared memory, STAGES of them under way; ldmatrix takes the
//         fragments out, transposing where the layout asks for it; rows are padded by 8 elements, so that no two lanes meet in a bank.
//   F32 : tiles by fma, each thread a square of C; the next slices are in registers while this one is multiplied.
//
// The sum over k can be split over blockIdx.z (for gradients of weights, where k is the batch and C is small): each part is stored, and
// matmul_finish adds the parts in order and applies the epilogue. No atomics: the same bits in every run.
#include "../include/activation.cuh"
#include "../include/pack.cuh"
#include "../include/warp.cuh"

struct MatMulArguments {
  const void *a, *b;
  void* c;                                               // [m, n], row-major; its type is out
  const void* bias;                                      // [n], or null
  void* z;                                               // gets the pre-activation, or null; type out
  const void* residual;                                  // [m, n] of type out, or null
  float* partial;                                        // [splits, m, n] where splits > 1, then [splits, m] of the sums
  float* sums;                                           // [m]: Σ over k of op(A), or null; for a stored transpose alone
  int m, n, k, lda, ldb;                                 // elements from row to row as stored
  int share, splits;                                     // how much of k a split takes, a multiple of the slice
  int activation, wide;                                  // though A and B are BF16, F32 is, bit 0: out; bit 1: bias
  int vectors;                                           // bit 0: A's rows can be read 16 bytes at a time; bit 1: B's
  float beta;                                            // c is added beta times, before the residual
};

template <class T> DEVICE float load_out(const MatMulArguments& p, const void* c, size_t i) {
  return p.wide & 1 ? static_cast<const float*>(c)[i] : to_float(static_cast<const T*>(c)[i]);
}
template <class T> DEVICE void store_out(const MatMulArguments& p, void* c, size_t i, float v) {
  if (p.wide & 1) static_cast<float*>(c)[i] = v;
  else static_cast<T*>(c)[i] = from_float<T>(v);
}

/// What happens to an element once its sum is known. T is the type of A and B.
template <class T> DEVICE void epilogue(const MatMulArguments& p, int row, int column, float v) {
  size_t i = static_cast<size_t>(row) * p.n + column;
  if (p.bias) v += p.wide & 2 ? static_cast<const float*>(p.bias)[column] : to_float(static_cast<const T*>(p.bias)[column]);
  if (p.z) store_out<T>(p, p.z, i, v);
  v = activate(p.activation, v);
  if (p.beta != 0.f) v += p.beta * load_out<T>(p, p.c, i);
  if (p.residual) v += load_out<T>(p, p.residual, i);
  store_out<T>(p, p.c, i, v);
}

/// The sums of a tile, BM rows of BN + 4 floats in shared memory: out of there by all threads, neighbours to neighbours, so that the epilogue
/// is compiled once and its stores are whole lines.
template <class T, int BM, int BN> DEVICE void finish_tile(const MatMulArguments& p, const float* tile, int m0, int n0) {
  constexpr int LD = BN + 4;
  __syncthreads();
  int rows = min(BM, p.m - m0), columns = min(BN, p.n - n0);
#pragma unroll 1
  for (int i = threadIdx.x; i < rows * BN; i += blockDim.x) {
    int r = i / BN, c = i % BN;
    if (c >= columns) continue;
    float v = tile[r * LD + c];
    if (p.splits > 1) p.partial[(static_cast<size_t>(blockIdx.z) * p.m + m0 + r) * p.n + n0 + c] = v;
    else epilogue<T>(p, m0 + r, n0 + c, v);
  }
}

/// A thread's sum over k of a row of op(A), by the first blocks of each row of tiles.
DEVICE void finish_sum(const MatMulArguments& p, int row, float v) {
  if (row >= p.m) return;
  if (p.splits > 1) p.partial[static_cast<size_t>(p.splits) * p.m * p.n + static_cast<size_t>(blockIdx.z) * p.m + row] = v;
  else p.sums[row] = v;
}

template <class T> DEVICE void finish(const MatMulArguments& p) {
  size_t size = static_cast<size_t>(p.m) * p.n;
  if (p.sums)
    grid_stride(p.m, [&](long long i) {
      float v = 0.f;
      for (int s = 0; s < p.splits; s++) v += p.partial[p.splits * size + static_cast<size_t>(s) * p.m + i];
      p.sums[i] = v;
    });
  grid_stride(static_cast<long long>(size), [&](long long i) {
    float v = 0.f;
    for (int s = 0; s < p.splits; s++) v += p.partial[s * size + i];
    epilogue<T>(p, static_cast<int>(i / p.n), static_cast<int>(i % p.n), v);
  });
}
KERNEL(matmul_finish_f32, MatMulArguments, 256) { finish<float>(p); }
KERNEL(matmul_finish_bf16, MatMulArguments, 256) { finish<bf16>(p); }

// ---- BF16

/// Brings ROWS × COLUMNS of a stored matrix [rows, columns], from (r0, c0), to shared memory with LD elements a row; zeros outside.
template <int ROWS, int COLUMNS, int LD, int THREADS>
DEVICE void bring(bf16* to, const bf16* from, int ld, int rows, int columns, int r0, int c0, bool vectors) {
  for (int i = threadIdx.x; i < ROWS * COLUMNS / 8; i += THREADS) {
    int r = i / (COLUMNS / 8), c = i % (COLUMNS / 8) * 8;
    bool within = r0 + r < rows && c0 + c < columns;
    const bf16* x = from + static_cast<size_t>(r0 + r) * ld + c0 + c;
    if (vectors) copy_async(to + r * LD + c, within ? x : from, within);
    else {
      Pack16<bf16> v;
      UNROLL for (int e = 0; e < 8; e++) v.v[e] = within && c0 + c + e < columns ? x[e] : bf16{0};
      *reinterpret_cast<Pack16<bf16>*>(to + r * LD + c) = v;
    }
  }
}

/// A block of WM × WN warps makes BM × BN elements of C, each warp BM/WM × BN/WN. TA, TB: the matrix is stored transposed.
template <bool TA, bool TB, int BM, int BN, int WM, int WN, int STAGES> DEVICE void matmul_bf16(const MatMulArguments& p) {
  constexpr int BK = 32, THREADS = WM * WN * WARP, MT = BM / WM / 16, NT = BN / WN / 8;
  constexpr int LDA = (TA ? BM : BK) + 8, LDB = (TB ? BK : BN) + 8, SIZE_A = (TA ? BK : BM) * LDA, SIZE_B = (TB ? BN : BK) * LDB;
  bf16* shared = shared_memory<bf16>();
  bf16 *sa = shared, *sb = shared + STAGES * SIZE_A;
  auto a = static_cast<const bf16*>(p.a), b = static_cast<const bf16*>(p.b);
  int m0 = blockIdx.y * BM, n0 = blockIdx.x * BN, wm = warp() / WN * (BM / WM), wn = warp() % WN * (BN / WN);
  int k0 = blockIdx.z * p.share, k1 = min(p.k, k0 + p.share), slices = ceil_div(max(0, k1 - k0), BK);
  auto load = [&](int slice) {
    if (slice < slices) {
      int k = k0 + slice * BK, stage = slice % STAGES;
      if (TA) bring<BK, BM, LDA, THREADS>(sa + stage * SIZE_A, a, p.lda, k1, p.m, k, m0, p.vectors & 1);
      else bring<BM, BK, LDA, THREADS>(sa + stage * SIZE_A, a, p.lda, p.m, k1, m0, k, p.vectors & 1);
      if (TB) bring<BN, BK, LDB, THREADS>(sb + stage * SIZE_B, b, p.ldb, p.n, k1, n0, k, p.vectors & 2);
      else bring<BK, BN, LDB, THREADS>(sb + stage * SIZE_B, b, p.ldb, k1, p.n, k, n0, p.vectors & 2);
    }
    copy_commit();                                       // an empty group keeps the count of groups that of slices
  };
  float acc[MT][NT][4];
  UNROLL for (int i = 0; i < MT; i++) UNROLL for (int j = 0; j < NT; j++) UNROLL for (int e = 0; e < 4; e++) acc[i][j][e] = 0.f;
  for (int s = 0; s < STAGES - 1; s++) load(s);
  int matrix = lane() >> 3, r = lane() & 7;
  bool summing = TA && p.sums && blockIdx.x == 0 && threadIdx.x < BM;
  float sum = 0.f;
  for (int s = 0; s < slices; s++) {
    copy_wait<STAGES - 2>();
    __syncthreads();                                     // slice s has arrived, and all have read slice s − 1, whose place the next load takes
    load(s + STAGES - 1);
    const bf16 *ta = sa + s % STAGES * SIZE_A, *tb = sb + s % STAGES * SIZE_B;
    if constexpr (TA) if (summing) for (int k = 0; k < BK; k++) sum += to_float(ta[k * LDA + threadIdx.x]);
    UNROLL for (int kk = 0; kk < BK; kk += 16) {
      unsigned fa[MT][4], fb[NT][2];
      UNROLL for (int i = 0; i < MT; i++) {
        int m = wm + i * 16 + (matrix & 1) * 8, k = kk + (matrix >> 1) * 8;
        if (TA) load_matrix_x4_transposed(fa[i], ta + (k + r) * LDA + m);
        else load_matrix_x4(fa[i], ta + (m + r) * LDA + k);
      }
      UNROLL for (int j = 0; j < NT; j += 2) {
        int n = wn + j * 8 + (matrix >> 1) * 8, k = kk + (matrix & 1) * 8;
        unsigned f[4];
        if (TB) load_matrix_x4(f, tb + (n + r) * LDB + k);
        else load_matrix_x4_transposed(f, tb + (k + r) * LDB + n);
        fb[j][0] = f[0]; fb[j][1] = f[1];
        fb[j + 1][0] = f[2]; fb[j + 1][1] = f[3];
      }
      UNROLL for (int i = 0; i < MT; i++) UNROLL for (int j = 0; j < NT; j++) multiply_add(acc[i][j], fa[i], fb[j]);
    }
  }
  if constexpr (TA) if (summing) finish_sum(p, m0 + threadIdx.x, sum);
  copy_wait<0>();
  __syncthreads();                                       // the last slice has been read: its memory takes the sums
  float* tile = shared_memory<float>();
  UNROLL for (int i = 0; i < MT; i++)
    UNROLL for (int j = 0; j < NT; j++)
      UNROLL for (int e = 0; e < 4; e++)
        tile[(wm + i * 16 + fragment_row() + (e >> 1) * 8) * (BN + 4) + wn + j * 8 + fragment_column() + (e & 1)] = acc[i][j][e];
  finish_tile<bf16, BM, BN>(p, tile, m0, n0);
}
#define MATMUL_BF16(name, TA, TB) \
  KERNEL(matmul_bf16_##name##_128, MatMulArguments, 256) { matmul_bf16<TA, TB, 128, 128, 2, 4, 3>(p); } \
  KERNEL(matmul_bf16_##name##_64, MatMulArguments, 128) { matmul_bf16<TA, TB, 64, 64, 2, 2, 3>(p); }
MATMUL_BF16(nn, false, false)
MATMUL_BF16(nt, false, true)
MATMUL_BF16(tn, true, false)
MATMUL_BF16(tt, true, true)

// ---- F32

/// A block makes BLOCK × BLOCK elements of C, a thread T × T of them: rows and columns that lie BLOCK/T apart, so that lanes read neighbours.
template <bool TA, bool TB, int BLOCK, int T> DEVICE void matmul_f32(const MatMulArguments& p) {
  constexpr int BK = 16, SIDE = BLOCK / T, THREADS = SIDE * SIDE, LD = BLOCK + 1, EACH = BLOCK * BK / THREADS;
  float* sa = shared_memory<float>();                    // [BK, LD] each, twice
  float* sb = sa + 2 * BK * LD;
  auto a = static_cast<const float*>(p.a), b = static_cast<const float*>(p.b);
  int m0 = blockIdx.y * BLOCK, n0 = blockIdx.x * BLOCK, ty = threadIdx.x / SIDE, tx = threadIdx.x % SIDE;
  int k0 = blockIdx.z * p.share, k1 = min(p.k, k0 + p.share), slices = ceil_div(max(0, k1 - k0), BK);
  float ra[EACH], rb[EACH];
  // Element e of this thread's share of a slice: along the axis that is contiguous in memory.
  auto place = [&](bool along_k, int e, int& x, int& k) {
    int i = threadIdx.x + e * THREADS;
    x = along_k ? i / BK : i % BLOCK;
    k = along_k ? i % BK : i / BLOCK;
  };
  auto fetch = [&](int slice) {
    UNROLL for (int e = 0; e < EACH; e++) {
      int x, k;
      place(!TA, e, x, k);
      int row = m0 + x, at = k0 + slice * BK + k;
      ra[e] = row < p.m && at < k1 ? a[TA ? static_cast<size_t>(at) * p.lda + row : static_cast<size_t>(row) * p.lda + at] : 0.f;
      place(TB, e, x, k);
      int column = n0 + x;
      at = k0 + slice * BK + k;
      rb[e] = column < p.n && at < k1 ? b[TB ? static_cast<size_t>(column) * p.ldb + at : static_cast<size_t>(at) * p.ldb + column] : 0.f;
    }
  };
  auto put = [&](int half) {
    UNROLL for (int e = 0; e < EACH; e++) {
      int x, k;
      place(!TA, e, x, k);
      sa[(half * BK + k) * LD + x] = ra[e];
      place(TB, e, x, k);
      sb[(half * BK + k) * LD + x] = rb[e];
    }
  };
  float acc[T][T];
  UNROLL for (int i = 0; i < T; i++) UNROLL for (int j = 0; j < T; j++) acc[i][j] = 0.f;
  bool summing = TA && p.sums && blockIdx.x == 0 && threadIdx.x < BLOCK;
  float sum = 0.f;
  if (slices > 0) {
    fetch(0);
    put(0);
  }
  for (int s = 0; s < slices; s++) {
    __syncthreads();                                     // slice s is in shared memory; slice s − 1, in the half that is written next, has been read
    if (s + 1 < slices) fetch(s + 1);
    const float *ta = sa + (s & 1) * BK * LD, *tb = sb + (s & 1) * BK * LD;
    if constexpr (TA) if (summing) for (int k = 0; k < BK; k++) sum += ta[k * LD + threadIdx.x];
    UNROLL for (int k = 0; k < BK; k++) {
      float va[T], vb[T];
      UNROLL for (int i = 0; i < T; i++) va[i] = ta[k * LD + ty + i * SIDE];
      UNROLL for (int j = 0; j < T; j++) vb[j] = tb[k * LD + tx + j * SIDE];
      UNROLL for (int i = 0; i < T; i++) UNROLL for (int j = 0; j < T; j++) acc[i][j] = fmaf(va[i], vb[j], acc[i][j]);
    }
    if (s + 1 < slices) put((s + 1) & 1);
  }
  if constexpr (TA) if (summing) finish_sum(p, m0 + threadIdx.x, sum);
  __syncthreads();                                       // the last slice has been read: its memory takes the sums
  float* tile = shared_memory<float>();
  UNROLL for (int i = 0; i < T; i++) UNROLL for (int j = 0; j < T; j++) tile[(ty + i * SIDE) * (BLOCK + 4) + tx + j * SIDE] = acc[i][j];
  finish_tile<float, BLOCK, BLOCK>(p, tile, m0, n0);
}
#define MATMUL_F32(name, TA, TB) \
  KERNEL(matmul_f32_##name##_128, MatMulArguments, 256) { matmul_f32<TA, TB, 128, 8>(p); } \
  KERNEL(matmul_f32_##name##_32, MatMulArguments, 64) { matmul_f32<TA, TB, 32, 4>(p); }
MATMUL_F32(nn, false, false)
MATMUL_F32(nt, false, true)
MATMUL_F32(tn, true, false)
MATMUL_F32(tt, true, true)
