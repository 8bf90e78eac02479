// Batch norm over the rows of x [r, c], statistics of columns (Ioffe and Szegedy 2015).
//
//   forward    y = γ·(x − μ)/√(σ² + ε) + β
//   backward   n = (x − μ)/√(σ² + ε);  dβ = Σ dy,  dγ = Σ dy·n,  dx = γ/√(σ² + ε)·(dy − dβ/r − n·dγ/r)
//
// A block takes 32 columns of one stretch of rows, a warp every 8th row of it. The stretches are merged in order by one thread a column, in double: means and
// sums of squares about them after Chan et al. 1979, so that no large squares are subtracted.
#include "../include/pack.cuh"
#include "../include/warp.cuh"

struct BatchNormArguments {
  const float *x, *dy, *gamma, *beta;
  float *mean, *variance;
  float *first, *second;                                 // [pieces, c]: mean and Σ(x − mean)², or Σdy and Σdy·n
  float *dbeta, *dgamma;
  float* y;                                              // y or dx
  const float* total;                                    // the number of rows that dβ and dγ are sums of; null: rows
  int rows, columns, stretch, pieces;
  int share;                                             // statistics as this rank's share of a group's: mean, Σ(x − mean)², and rows behind them
  float epsilon;
};

constexpr int NORM_WARPS = 8;

/// The sum over the block's warps, a column a lane, in order.
DEVICE float over_warps(float x, float* shared) {
  shared[warp() * WARP + lane()] = x;
  __syncthreads();
  float s = 0;
  for (int w = 0; w < NORM_WARPS; w++) s += shared[w * WARP + lane()];
  __syncthreads();
  return s;
}

/// Calls f with the index of each element of this thread's column and rows.
template <class F> DEVICE void rows_of(const BatchNormArguments& p, F f) {
  const int c = blockIdx.x * WARP + lane(), from = blockIdx.y * p.stretch, to = min(p.rows, from + p.stretch);
  if (c < p.columns) for (int r = from + warp(); r < to; r += NORM_WARPS) f(static_cast<long long>(r) * p.columns + c);
}

DEVICE void store_piece(const BatchNormArguments& p, float first, float second) {
  const int c = blockIdx.x * WARP + lane();
  if (c >= p.columns || warp() != 0) return;
  p.first[static_cast<long long>(blockIdx.y) * p.columns + c] = first;
  p.second[static_cast<long long>(blockIdx.y) * p.columns + c] = second;
}

KERNEL(batch_norm_pieces, BatchNormArguments, 256) {
  float* shared = shared_memory<float>();                // [NORM_WARPS, 32]
  float s = 0, squares = 0;
  rows_of(p, [&](long long i) { s += p.x[i]; });
  const float mean = over_warps(s, shared) / static_cast<float>(min(p.stretch, p.rows - static_cast<int>(blockIdx.y) * p.stretch));
  rows_of(p, [&](long long i) { squares += (p.x[i] - mean) * (p.x[i] - mean); });
  store_piece(p, mean, over_warps(squares, shared));
}

struct Moments {
  double n = 0, mean = 0, squares = 0;
  DEVICE void join(double m, double itsMean, double itsSquares) {
    const double d = itsMean - mean;
    squares += itsSquares + d * d * n * m / (n + m);
    mean += d * m / (n + m);
    n += m;
  }
};

KERNEL(batch_norm_statistics, BatchNormArguments, 128) {
  const int c = blockIdx.x * blockDim.x + threadIdx.x;
  if (c >= p.columns) return;
  Moments all;
  for (int i = 0; i < p.pieces; i++)
    all.join(min(p.stretch, p.rows - i * p.stretch), p.first[static_cast<long long>(i) * p.columns + c], p.second[static_cast<long long>(i) * p.columns + c]);
  p.mean[c] = static_cast<float>(all.mean);
  p.variance[c] = static_cast<float>(p.share ? all.squares : all.squares / all.n);
  if (p.share && c == 0) p.mean[2 * p.columns] = static_cast<float>(p.rows);
}

struct BatchNormSharesArguments {
  const float* shares;                                   // [ranks, 2c + 1]
  float *mean, *variance, *total;
  int columns, ranks;
};
KERNEL(batch_norm_shares, BatchNormSharesArguments, 128) {
  const int c = blockIdx.x * blockDim.x + threadIdx.x;
  if (c >= p.columns) return;
  Moments all;
  for (int r = 0; r < p.ranks; r++) {
    const float* share = p.shares + static_cast<long long>(r) * (2 * p.columns + 1);
    if (share[2 * p.columns] > 0) all.join(share[2 * p.columns], share[c], share[p.columns + c]);
  }
  p.mean[c] = static_cast<float>(all.mean);
  p.variance[c] = static_cast<float>(all.squares / all.n);
  if (c == 0) *p.total = static_cast<float>(all.n);
}

KERNEL(batch_norm_apply, BatchNormArguments, 256) {
  grid_stride(static_cast<long long>(p.rows) * p.columns, [&](long long i) {
    const int c = static_cast<int>(i % p.columns);
    p.y[i] = p.gamma[c] * ((p.x[i] - p.mean[c]) / sqrtf(p.variance[c] + p.epsilon)) + p.beta[c];
  });
}

KERNEL(batch_norm_backward_pieces, BatchNormArguments, 256) {
  float* shared = shared_memory<float>();                // [NORM_WARPS, 32]
  const int c = blockIdx.x * WARP + lane();
  const float mean = c < p.columns ? p.mean[c] : 0, k = c < p.columns ? 1 / sqrtf(p.variance[c] + p.epsilon) : 0;
  float dbeta = 0, dgamma = 0;
  rows_of(p, [&](long long i) {
    dbeta += p.dy[i];
    dgamma += p.dy[i] * ((p.x[i] - mean) * k);
  });
  dbeta = over_warps(dbeta, shared);
  store_piece(p, dbeta, over_warps(dgamma, shared));
}

KERNEL(batch_norm_backward_sums, BatchNormArguments, 128) {
  const int c = blockIdx.x * blockDim.x + threadIdx.x;
  if (c >= p.columns) return;
  double dbeta = 0, dgamma = 0;
  for (int i = 0; i < p.pieces; i++) {
    dbeta += p.first[static_cast<long long>(i) * p.columns + c];
    dgamma += p.second[static_cast<long long>(i) * p.columns + c];
  }
  p.dbeta[c] = static_cast<float>(dbeta);
  p.dgamma[c] = static_cast<float>(dgamma);
}

KERNEL(batch_norm_backward_apply, BatchNormArguments, 256) {
  const float rows = p.total ? *p.total : static_cast<float>(p.rows);
  grid_stride(static_cast<long long>(p.rows) * p.columns, [&](long long i) {
    const int c = static_cast<int>(i % p.columns);
    const float k = 1 / sqrtf(p.variance[c] + p.epsilon), n = (p.x[i] - p.mean[c]) * k;
    p.y[i] = p.gamma[c] * k * (p.dy[i] - p.dbeta[c] / rows - n * (p.dgamma[c] / rows));
  });
}
