// Sums and maxima of rows and of columns, in pieces: y holds one value a piece, and the host folds the pieces by the same kernels until one is
// left. Pieces depend on the shape alone, the order within one is fixed: the same bits in every run.
#include "../include/pack.cuh"
#include "../include/warp.cuh"

struct ReductionArguments {
  const void* x;                                         // [rows, n]
  float* y;
  int rows, n, piece, maximum;                           // elements (or rows) a piece; 0 sum, 1 maximum
};

/// The larger of two, or NaN where one is NaN.
DEVICE float larger(float a, float b) { return a > b || a != a ? a : b; }
DEVICE float fold(bool maximum, float a, float b) { return maximum ? larger(a, b) : a + b; }

/// y [rows, pieces]: a block folds one piece of one row.
template <class T> DEVICE void reduce_rows(const ReductionArguments& p) {
  int pieces = ceil_div(p.n, p.piece), row = blockIdx.x / pieces, from = blockIdx.x % pieces * p.piece, to = min(p.n, from + p.piece);
  auto x = static_cast<const T*>(p.x) + static_cast<size_t>(row) * p.n;
  float neutral = p.maximum ? -INFINITY : 0.f, s = neutral;
  for (int i = from + threadIdx.x; i < to; i += blockDim.x) s = fold(p.maximum, s, to_float(x[i]));
  s = block_fold(s, neutral, shared_memory<float>(), [&](float a, float b) { return fold(p.maximum, a, b); });
  if (threadIdx.x == 0) p.y[blockIdx.x] = s;
}
KERNEL(reduce_rows_f32, ReductionArguments, 256) { reduce_rows<float>(p); }
KERNEL(reduce_rows_bf16, ReductionArguments, 256) { reduce_rows<bf16>(p); }

/// y [pieces, n]: a thread folds one column of one piece, rows in order.
template <class T> DEVICE void reduce_columns(const ReductionArguments& p) {
  int c = blockIdx.x * blockDim.x + threadIdx.x, from = blockIdx.y * p.piece, to = min(p.rows, from + p.piece);
  if (c >= p.n) return;
  auto x = static_cast<const T*>(p.x);
  float s = p.maximum ? -INFINITY : 0.f;
  for (int r = from; r < to; r++) s = fold(p.maximum, s, to_float(x[static_cast<size_t>(r) * p.n + c]));
  p.y[static_cast<size_t>(blockIdx.y) * p.n + c] = s;
}
KERNEL(reduce_columns_f32, ReductionArguments, 128) { reduce_columns<float>(p); }
KERNEL(reduce_columns_bf16, ReductionArguments, 128) { reduce_columns<bf16>(p); }

// ---- The partial results of another kernel, in one launch

struct FoldArguments {
  const float* x;                                        // [rows, n]
  float *y, *z;                                          // columns before `first`, and those from it on
  int rows, n, first, maximum;
};

/// A block takes 32 columns; of its 8 rows of threads each folds every eighth row, then the first folds what they have, in order.
KERNEL(fold_columns, FoldArguments, 256) {
  float* folded = shared_memory<float>();                // [8, 32]
  int c = blockIdx.x * 32 + threadIdx.x % 32, lane = threadIdx.x / 32;
  float s = p.maximum ? -INFINITY : 0.f;
  if (c < p.n) for (int r = lane; r < p.rows; r += 8) s = fold(p.maximum, s, p.x[static_cast<size_t>(r) * p.n + c]);
  folded[threadIdx.x] = s;
  __syncthreads();
  if (lane > 0 || c >= p.n) return;
  for (int k = 1; k < 8; k++) s = fold(p.maximum, s, folded[k * 32 + threadIdx.x]);
  if (c < p.first) p.y[c] = s;
  else p.z[c - p.first] = s;
}
