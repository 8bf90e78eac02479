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
