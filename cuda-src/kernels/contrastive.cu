// Losses over all pairs of images x [n, d] and texts t [n, d], and their gradients, without a matrix of all pairs.
//
//   a_ij = x_i·t_j;   pair (i, j) is positive iff i = j, or, with groups, iff both are of one group
//   sigmoid:  z = scale·a + bias;  loss = 1/n·Σ_ij softplus(∓z_ij)                                            (Zhai et al. 2023)
//             slope_ij = σ(z_ij) − [positive]
//   softmax:  z = scale·a;  loss = 1/2n·(Σ_i (R_i − mean of z over the positives of row i) + the same of columns C_j)   (Radford et al. 2021)
//             slope_ij = softmax_ij of row i + softmax_ij of column j − [positive]·(1/positives of row i + 1/positives of column j)
//             softmax_ij = e^(z_ij − m)·p with the peak of the row or column: its largest z, m, and p = 1/Σ e^(z − m)
//
// Forward: a block makes one tile of a and folds it to a number (sigmoid), or to a maximum and sum for each of its rows and columns (softmax), which
// contrastive_merge joins in order. Backward takes `rows` rows at a time: G = scale·k·slope is stored for these rows alone and multiplied with t by the
// kernels of matmul.cu, dx = G·t; dt is the same with x and t exchanged. The scores are made twice, and nothing is added up across launches but numbers.
// No atomics; what blocks leave is folded by one block, in double and in order.
#include "../include/online_softmax.cuh"
#include "../include/pack.cuh"
#include "../include/warp.cuh"

struct ContrastiveArguments {
  const void *x, *t;
  const float *scale, *bias, *dloss;                     // bias or null
  const int *x_group, *t_group;                          // or null
  const float *row_peaks, *column_peaks;                 // m and p of rows and columns [2, n], for slopes of softmax
  const float *row_share, *column_share;                 // 1 / positives of a row, a column [n]; null without groups
  void* g;                                               // [rows, n] of x's type
  float *first_partial, *second_partial;                 // a number of each block
  float *row_tops, *row_sums, *column_tops, *column_sums;  // [blocks.x, rows], [blocks.y, n]
  int n, d, first, rows;                                 // rows first … first + rows − 1
  int vectors;                                           // rows can be read 16 bytes at a time
  float factor;                                          // k = factor·dloss
};

/// One tile of a. Thread-local element (i, j) is row row(i), column column(j) of the tile; lanes that differ in the bits of ROW_LANES share rows.
template <class T> struct Pairs;

/// BF16 by mma.sync: 128 × 128, eight warps of 64 × 32.
template <> struct Pairs<bf16> {
  static constexpr int SIDE = 128, BK = 32, LD = BK + 8, STAGES = 3, THREADS = 256, ROWS = 8, COLUMNS = 8, ROW_LANES = 3, WARPS_ACROSS = 4, WARPS_DOWN = 2;
  float c[4][4][4];

  DEVICE static int warp_down() { return warp() / WARPS_ACROSS; }
  DEVICE static int warp_across() { return warp() % WARPS_ACROSS; }
  DEVICE static int row(int i) { return warp_down() * 64 + i / 2 * 16 + i % 2 * 8 + fragment_row(); }
  DEVICE static int column(int j) { return warp_across() * 32 + j / 2 * 8 + fragment_column() + j % 2; }
  DEVICE float& at(int i, int j) { return c[i / 2][j / 2][i % 2 * 2 + j % 2]; }

  DEVICE static void bring(bf16* to, const bf16* from, int d, int first, int end, int k, bool vectors) {
    for (int i = threadIdx.x; i < SIDE * BK / 8; i += THREADS) {
      const int r = i / (BK / 8), column = k + i % (BK / 8) * 8;
      const bool valid = first + r < end && column < d;
      const bf16* x = from + static_cast<long long>(first + r) * d + column;
      bf16* at = to + r * LD + column - k;
      if (vectors) copy_async(at, valid ? x : from, valid);
      else UNROLL for (int e = 0; e < 8; e++) at[e] = valid && column + e < d ? x[e] : bf16{0};
    }
  }

  DEVICE void make(const ContrastiveArguments& p, int i0, int i_end, int j0) {
    bf16 *xs = shared_memory<bf16>(), *ts = xs + STAGES * SIDE * LD;
    const int slices = ceil_div(p.d, BK);
    auto load = [&](int s) {
      if (s < slices) {
        bring(xs + s % STAGES * SIDE * LD, static_cast<const bf16*>(p.x), p.d, i0, i_end, s * BK, p.vectors);
        bring(ts + s % STAGES * SIDE * LD, static_cast<const bf16*>(p.t), p.d, j0, p.n, s * BK, p.vectors);
      }
      copy_commit();
    };
    UNROLL for (int i = 0; i < 4; i++) UNROLL for (int j = 0; j < 4; j++) UNROLL for (int e = 0; e < 4; e++) c[i][j][e] = 0.f;
    for (int s = 0; s < STAGES - 1; s++) load(s);
    for (int s = 0; s < slices; s++) {
      copy_wait<STAGES - 2>();
      __syncthreads();
      load(s + STAGES - 1);
      const bf16 *xt = xs + (s % STAGES * SIDE + warp_down() * 64) * LD, *tt = ts + (s % STAGES * SIDE + warp_across() * 32) * LD;
      UNROLL for (int k = 0; k < BK; k += 16) {
        unsigned a[4][4], b[2][4];
        UNROLL for (int i = 0; i < 4; i++) load_matrix_x4(a[i], xt + (i * 16 + (lane() & 15)) * LD + k + (lane() >> 4) * 8);
        UNROLL for (int j = 0; j < 2; j++) load_matrix_x4(b[j], tt + (j * 16 + (lane() & 7) + (lane() >> 4) * 8) * LD + k + ((lane() >> 3) & 1) * 8);
        UNROLL for (int i = 0; i < 4; i++) UNROLL for (int j = 0; j < 4; j++) {
          unsigned f[2] = {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]};
          multiply_add(c[i][j], a[i], f);
        }
      }
    }
    copy_wait<0>();
    __syncthreads();                                     // the shared memory is free for folds
  }
};

/// F32 by fma: 64 × 64, a thread 4 × 4, rows and columns 16 apart.
template <> struct Pairs<float> {
  static constexpr int SIDE = 64, BK = 16, LD = SIDE + 1, THREADS = 256, ROWS = 4, COLUMNS = 4, ROW_LANES = 15, WARPS_ACROSS = 1, WARPS_DOWN = 8;
  float c[4][4];

  DEVICE static int warp_down() { return warp(); }
  DEVICE static int warp_across() { return 0; }
  DEVICE static int row(int i) { return static_cast<int>(threadIdx.x) / 16 + 16 * i; }
  DEVICE static int column(int j) { return static_cast<int>(threadIdx.x) % 16 + 16 * j; }
  DEVICE float& at(int i, int j) { return c[i][j]; }

  DEVICE static void bring(float* to, const float* from, int d, int first, int end, int k) {
    for (int i = threadIdx.x; i < SIDE * BK; i += THREADS) {
      const int r = i / BK, column = k + i % BK;
      to[i % BK * LD + r] = first + r < end && column < d ? from[static_cast<long long>(first + r) * d + column] : 0.f;
    }
  }

  DEVICE void make(const ContrastiveArguments& p, int i0, int i_end, int j0) {
    float *xs = shared_memory<float>(), *ts = xs + BK * LD;
    UNROLL for (int i = 0; i < 4; i++) UNROLL for (int j = 0; j < 4; j++) c[i][j] = 0.f;
    for (int k0 = 0; k0 < p.d; k0 += BK) {
      bring(xs, static_cast<const float*>(p.x), p.d, i0, i_end, k0);
      bring(ts, static_cast<const float*>(p.t), p.d, j0, p.n, k0);
      __syncthreads();
      UNROLL for (int k = 0; k < BK; k++) {
        float a[4], b[4];
        UNROLL for (int i = 0; i < 4; i++) a[i] = xs[k * LD + row(i)];
        UNROLL for (int j = 0; j < 4; j++) b[j] = ts[k * LD + column(j)];
        UNROLL for (int i = 0; i < 4; i++) UNROLL for (int j = 0; j < 4; j++) c[i][j] = fmaf(a[i], b[j], c[i][j]);
      }
      __syncthreads();
    }
  }
};

DEVICE bool positive(const ContrastiveArguments& p, int i, int j) { return p.x_group ? p.x_group[i] == p.t_group[j] : i == j; }
DEVICE float softplus(float z) { return fmaxf(z, 0.f) + log1pf(expf(-fabsf(z))); }
DEVICE float sigmoid(float z) { return 1.f / (1.f + expf(-z)); }

/// Calls f(i, j, row, column) for the thread's pairs that exist.
template <class T, class F> DEVICE void each_pair(const ContrastiveArguments& p, F f) {
  UNROLL for (int i = 0; i < Pairs<T>::ROWS; i++) UNROLL for (int j = 0; j < Pairs<T>::COLUMNS; j++) {
    const int row = p.first + static_cast<int>(blockIdx.y) * Pairs<T>::SIDE + Pairs<T>::row(i), column = blockIdx.x * Pairs<T>::SIDE + Pairs<T>::column(j);
    if (row < p.first + p.rows && column < p.n) f(i, j, row, column);
  }
}

/// One number of the block, where the fold finds it.
DEVICE void leave(float* partial, float x) {
  x = block_sum(x, shared_memory<float>());
  if (threadIdx.x == 0) partial[blockIdx.y * gridDim.x + blockIdx.x] = x;
  __syncthreads();
}

template <class T> DEVICE void make_pairs(Pairs<T>& a, const ContrastiveArguments& p) {
  a.make(p, p.first + blockIdx.y * Pairs<T>::SIDE, p.first + p.rows, blockIdx.x * Pairs<T>::SIDE);
}

template <class T> DEVICE void sigmoid_loss(const ContrastiveArguments& p) {
  Pairs<T> a;
  make_pairs(a, p);
  const float scale = *p.scale, bias = *p.bias;
  float loss = 0.f;
  each_pair<T>(p, [&](int i, int j, int row, int column) {
    const float z = fmaf(a.at(i, j), scale, bias);
    loss += softplus(positive(p, row, column) ? -z : z);
  });
  leave(p.first_partial, loss);
}

/// Stores G and leaves Σ k·slope·a and Σ k·slope. slope(z, row, column)
template <class T, class F> DEVICE void slopes(const ContrastiveArguments& p, F slope) {
  Pairs<T> a;
  make_pairs(a, p);
  const float scale = *p.scale, bias = p.bias ? *p.bias : 0.f, k = *p.dloss * p.factor;
  float scaled = 0.f, plain = 0.f;
  each_pair<T>(p, [&](int i, int j, int row, int column) {
    const float s = k * slope(fmaf(a.at(i, j), scale, bias), row, column);
    scaled = fmaf(s, a.at(i, j), scaled);
    plain += s;
    static_cast<T*>(p.g)[static_cast<long long>(row - p.first) * p.n + column] = from_float<T>(s * scale);
  });
  if (!p.first_partial) return;
  leave(p.first_partial, scaled);
  leave(p.second_partial, plain);
}

template <class T> DEVICE void sigmoid_slopes(const ContrastiveArguments& p) {
  slopes<T>(p, [&](float z, int row, int column) { return positive(p, row, column) ? -sigmoid(-z) : sigmoid(z); });
}

/// What the positives of a row or column weigh.
DEVICE float share(const float* shares, int i) { return shares ? shares[i] : 1.f; }

template <class T> DEVICE void softmax_slopes(const ContrastiveArguments& p) {
  slopes<T>(p, [&](float z, int row, int column) {
    const float s = fmaf(expf(z - p.row_peaks[row]), p.row_peaks[p.n + row], expf(z - p.column_peaks[column]) * p.column_peaks[p.n + column]);
    return positive(p, row, column) ? s - share(p.row_share, row) - share(p.column_share, column) : s;
  });
}

/// Folds over lanes that differ in the bits of `lanes`.
template <class F> DEVICE float lanes_fold(float x, int lanes, F fold) {
  for (int o = 1; o < WARP; o *= 2) if (lanes & o) x = fold(x, __shfl_xor_sync(FULL, x, o));
  return x;
}

/// The maximum of z(0) … z(N − 1) over the lanes, and the sum of e^(z − maximum).
template <int N, class F> DEVICE void top_and_sum(int lanes, float& top, float& sum, F z) {
  top = -INFINITY;
  UNROLL for (int i = 0; i < N; i++) top = fmaxf(top, z(i));
  top = lanes_fold(top, lanes, [](float a, float b) { return fmaxf(a, b); });
  const float shift = top == -INFINITY ? 0.f : top;
  sum = 0.f;
  UNROLL for (int i = 0; i < N; i++) sum += expf(z(i) - shift);
  sum = lanes_fold(sum, lanes, [](float a, float b) { return a + b; });
}

/// The row and column sums of a tile, and Σ over its positives of z·(share of the row + share of the column).
template <class T> DEVICE void softmax_sums(const ContrastiveArguments& p) {
  using P = Pairs<T>;
  P a;
  make_pairs(a, p);
  const float scale = *p.scale;
  float chosen = 0.f;
  UNROLL for (int i = 0; i < P::ROWS; i++) UNROLL for (int j = 0; j < P::COLUMNS; j++) {
    const int row = p.first + static_cast<int>(blockIdx.y) * P::SIDE + P::row(i), column = blockIdx.x * P::SIDE + P::column(j);
    const bool valid = row < p.first + p.rows && column < p.n;
    a.at(i, j) = valid ? a.at(i, j) * scale : -INFINITY;
    if (valid && positive(p, row, column)) chosen += a.at(i, j) * (share(p.row_share, row) + share(p.column_share, column));
  }
  leave(p.first_partial, chosen);
  float *tops = shared_memory<float>(), *sums = tops + P::WARPS_ACROSS * P::SIDE, *column_tops = sums + P::WARPS_ACROSS * P::SIDE, *column_sums = column_tops + P::WARPS_DOWN * P::SIDE;
  float top, sum;
  UNROLL for (int i = 0; i < P::ROWS; i++) {
    top_and_sum<P::COLUMNS>(P::ROW_LANES, top, sum, [&](int j) { return a.at(i, j); });
    if ((lane() & P::ROW_LANES) == 0) { tops[P::warp_across() * P::SIDE + P::row(i)] = top; sums[P::warp_across() * P::SIDE + P::row(i)] = sum; }
  }
  UNROLL for (int j = 0; j < P::COLUMNS; j++) {
    top_and_sum<P::ROWS>(WARP - 1 - P::ROW_LANES, top, sum, [&](int i) { return a.at(i, j); });
    if ((lane() & ~P::ROW_LANES) == 0) { column_tops[P::warp_down() * P::SIDE + P::column(j)] = top; column_sums[P::warp_down() * P::SIDE + P::column(j)] = sum; }
  }
  __syncthreads();
  const int i = threadIdx.x % P::SIDE;
  const bool rows = static_cast<int>(threadIdx.x) < P::SIDE, columns = !rows && static_cast<int>(threadIdx.x) < 2 * P::SIDE;
  OnlineSoftmax s;
  if (rows) for (int w = 0; w < P::WARPS_ACROSS; w++) s.join(tops[w * P::SIDE + i], sums[w * P::SIDE + i]);
  if (columns) for (int w = 0; w < P::WARPS_DOWN; w++) s.join(column_tops[w * P::SIDE + i], column_sums[w * P::SIDE + i]);
  const int row = blockIdx.y * P::SIDE + i, column = blockIdx.x * P::SIDE + i;
  if (rows && row < p.rows) { p.row_tops[blockIdx.x * p.rows + row] = s.m; p.row_sums[blockIdx.x * p.rows + row] = s.s; }
  if (columns && column < p.n) { p.column_tops[blockIdx.y * p.n + column] = s.m; p.column_sums[blockIdx.y * p.n + column] = s.s; }
}

#define CONTRASTIVE(name, T) \
  KERNEL(contrastive_sigmoid_##name, ContrastiveArguments, Pairs<T>::THREADS, 2) { sigmoid_loss<T>(p); } \
  KERNEL(contrastive_sigmoid_slopes_##name, ContrastiveArguments, Pairs<T>::THREADS, 2) { sigmoid_slopes<T>(p); } \
  KERNEL(contrastive_softmax_##name, ContrastiveArguments, Pairs<T>::THREADS, 2) { softmax_sums<T>(p); } \
  KERNEL(contrastive_softmax_slopes_##name, ContrastiveArguments, Pairs<T>::THREADS, 2) { softmax_slopes<T>(p); }
CONTRASTIVE(bf16, bf16)
CONTRASTIVE(f32, float)

struct SharesArguments { const int *of, *among; float* shares; int n; };

/// shares[i] = 1 / how many of `among` equal of[i]; 0 where none does.
KERNEL(contrastive_shares, SharesArguments, 256) {
  int* tile = shared_memory<int>();
  const int i = blockIdx.x * 256 + threadIdx.x, mine = i < p.n ? p.of[i] : 0;
  int count = 0;
  for (int j0 = 0; j0 < p.n; j0 += 256) {
    __syncthreads();
    if (j0 + static_cast<int>(threadIdx.x) < p.n) tile[threadIdx.x] = p.among[j0 + threadIdx.x];
    __syncthreads();
    for (int j = 0; j < min(256, p.n - j0); j++) count += tile[j] == mine;
  }
  if (i < p.n) p.shares[i] = count > 0 ? 1.f / static_cast<float>(count) : 0.f;
}

struct MergeArguments { const float *tops, *sums; float *top, *sum, *result; int n, count, begins; };

/// Joins `count` stretches of each of n log-sum-exps in order, after what top and sum (or null) hold unless it begins; result, null before the last
/// stretch, gets the logarithm, and sum is then left as its reciprocal: top and sum are a peak.
KERNEL(contrastive_merge, MergeArguments, 256) {
  grid_stride(p.n, [&](long long i) {
    OnlineSoftmax s;
    if (!p.begins) { s.m = p.top[i]; s.s = p.sum[i]; }
    for (int c = 0; c < p.count; c++) s.join(p.tops[static_cast<long long>(c) * p.n + i], p.sums[static_cast<long long>(c) * p.n + i]);
    if (p.top) { p.top[i] = s.m; p.sum[i] = p.result ? 1.f / s.s : s.s; }
    if (p.result) p.result[i] = s.log_sum();
  });
}

struct FoldArguments { const float *a, *b, *c; float* to; int a_count, b_count, c_count; float a_factor, b_factor, c_factor; };

DEVICE double fold_share(const float* x, int n) {
  double sum = 0;
  for (int i = threadIdx.x; i < n; i += 256) sum += x[i];
  return sum;
}

/// to = Σ a·a_factor + Σ b·b_factor + Σ c·c_factor, in double, by one block.
KERNEL(contrastive_fold, FoldArguments, 256) {
  double* sums = shared_memory<double>();
  sums[threadIdx.x] = fold_share(p.a, p.a_count) * p.a_factor + fold_share(p.b, p.b_count) * p.b_factor + fold_share(p.c, p.c_count) * p.c_factor;
  for (int o = 128; o > 0; o /= 2) {
    __syncthreads();
    if (static_cast<int>(threadIdx.x) < o) sums[threadIdx.x] += sums[threadIdx.x + o];
  }
  if (threadIdx.x == 0) *p.to = static_cast<float>(sums[0]);
}
