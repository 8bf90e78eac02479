// What is computed within a row of x [rows, d]: softmax, layer norm, L2 norm, and their gradients. A warp takes a row; the passes after the
// first find it in the L1 cache, so that global memory is read once. FP32 throughout; the variance is Σ(x − μ)², never Σx² − (Σx)².
#include "../include/pack.cuh"
#include "../include/warp.cuh"

constexpr int ROW_WARPS = 4;                             // rows a block takes

struct RowArguments {
  const float* x;                                        // [rows, d]
  const float *w, *b;                                    // γ, β [d]
  const float* dy;                                       // [rows, d]
  void* y;                                               // the result, [rows, d], of the kernel's type
  float *mean, *deviation;                               // μ and 1/σ, [rows], or null
  int rows, d;
  float epsilon;
};

/// This warp's row, or −1 past the end.
DEVICE int own_row(const RowArguments& p) {
  int r = blockIdx.x * ROW_WARPS + warp();
  return r < p.rows ? r : -1;
}

template <class F> DEVICE void each(int d, F f) {
  for (int i = lane(); i < d; i += WARP) f(i);
}
template <class F> DEVICE float row_sum(int d, F f) {
  float s = 0.f;
  each(d, [&](int i) { s += f(i); });
  return warp_sum(s);
}

/// y = eˣ⁻ᵐ / Σ eˣ⁻ᵐ
KERNEL(softmax_f32, RowArguments, 128) {
  int r = own_row(p);
  if (r < 0) return;
  const float* x = p.x + static_cast<size_t>(r) * p.d;
  float* y = static_cast<float*>(p.y) + static_cast<size_t>(r) * p.d;
  float m = -INFINITY;
  each(p.d, [&](int i) { m = fmaxf(m, x[i]); });
  m = warp_max(m);
  float s = row_sum(p.d, [&](int i) { return y[i] = expf(x[i] - m); }), k = 1.f / s;
  each(p.d, [&](int i) { y[i] *= k; });
}

/// dx = y·(dy − Σ y·dy), x holding y
KERNEL(softmax_backward_f32, RowArguments, 128) {
  int r = own_row(p);
  if (r < 0) return;
  size_t at = static_cast<size_t>(r) * p.d;
  float s = row_sum(p.d, [&](int i) { return p.x[at + i] * p.dy[at + i]; });
  each(p.d, [&](int i) { static_cast<float*>(p.y)[at + i] = p.x[at + i] * (p.dy[at + i] - s); });
}

/// y = γ·(x − μ)/√(σ² + ε) + β
template <class T> DEVICE void layer_norm(const RowArguments& p) {
  int r = own_row(p);
  if (r < 0) return;
  size_t at = static_cast<size_t>(r) * p.d;
  float mean = row_sum(p.d, [&](int i) { return p.x[at + i]; }) / p.d;
  float square = row_sum(p.d, [&](int i) { float c = p.x[at + i] - mean; return c * c; }) / p.d;
  float deviation = 1.f / sqrtf(square + p.epsilon);
  each(p.d, [&](int i) { static_cast<T*>(p.y)[at + i] = from_float<T>((p.x[at + i] - mean) * deviation * p.w[i] + p.b[i]); });
  if (p.mean && lane() == 0) {
    p.mean[r] = mean;
    p.deviation[r] = deviation;
  }
}
KERNEL(layer_norm_f32, RowArguments, 128) { layer_norm<float>(p); }
KERNEL(layer_norm_bf16, RowArguments, 128) { layer_norm<bf16>(p); }

struct LayerNormBackwardArguments {
  const float *x, *w;                                    // [rows, d], γ [d]
  const float *mean, *deviation;                         // of the forward pass, [rows]
  const void* dy;                                        // [rows, d], of the kernel's type
  const float* before;                                   // what dx is added to, [rows, d], or null
  float* dx;                                             // [rows, d]
  bf16* half;                                            // dx in BF16, or null
  float* partial;                                        // [pieces, (dγ, dβ), d]
  int rows, d, piece;                                    // piece: rows that one partial sum takes in
};

/// With n = (x − μ)/σ and h = dy·γ: dx = (h − mean h − n·mean(h·n))/σ + before, a warp a row; then for the block's piece of rows Σ dy·n and Σ dy, a thread
/// a column, from the cache.
template <class T> DEVICE void layer_norm_backward(const LayerNormBackwardArguments& p) {
  auto dy = [&](size_t i) { return to_float(static_cast<const T*>(p.dy)[i]); };
  int from = blockIdx.x * p.piece, to = min(p.rows, from + p.piece);
  for (int r = from + warp(); r < to; r += blockDim.x / WARP) {
    size_t at = static_cast<size_t>(r) * p.d;
    float mean = p.mean[r], k = p.deviation[r];
    float a = row_sum(p.d, [&](int i) { return dy(at + i) * p.w[i]; }) / p.d;
    float c = row_sum(p.d, [&](int i) { return dy(at + i) * p.w[i] * (p.x[at + i] - mean) * k; }) / p.d;
    each(p.d, [&](int i) {
      float dx = (dy(at + i) * p.w[i] - a - (p.x[at + i] - mean) * k * c) * k;
      if (p.before) dx += p.before[at + i];
      p.dx[at + i] = dx;
      if (p.half) p.half[at + i] = from_float<bf16>(dx);
    });
  }
  for (int c = threadIdx.x; c < p.d; c += blockDim.x) {
    float dw = 0.f, db = 0.f;
    for (int r = from; r < to; r++) {
      size_t at = static_cast<size_t>(r) * p.d + c;
      dw += dy(at) * (p.x[at] - p.mean[r]) * p.deviation[r];
      db += dy(at);
    }
    float* y = p.partial + static_cast<size_t>(blockIdx.x) * 2 * p.d + c;
    y[0] = dw;
    y[p.d] = db;
  }
}
KERNEL(layer_norm_backward_f32, LayerNormBackwardArguments, 512) { layer_norm_backward<float>(p); }
KERNEL(layer_norm_backward_bf16, LayerNormBackwardArguments, 512) { layer_norm_backward<bf16>(p); }

/// y = x / max(‖x‖, ε)
KERNEL(normalize_f32, RowArguments, 128) {
  int r = own_row(p);
  if (r < 0) return;
  size_t at = static_cast<size_t>(r) * p.d;
  float k = 1.f / fmaxf(sqrtf(row_sum(p.d, [&](int i) { return p.x[at + i] * p.x[at + i]; })), p.epsilon);
  each(p.d, [&](int i) { static_cast<float*>(p.y)[at + i] = p.x[at + i] * k; });
}

/// dx = (dy − y·(y·dy))/‖x‖; where ‖x‖ ≤ ε the divisor is constant: dx = dy/ε
KERNEL(normalize_backward_f32, RowArguments, 128) {
  int r = own_row(p);
  if (r < 0) return;
  size_t at = static_cast<size_t>(r) * p.d;
  float norm = sqrtf(row_sum(p.d, [&](int i) { return p.x[at + i] * p.x[at + i]; })), k = 1.f / fmaxf(norm, p.epsilon);
  float dot = row_sum(p.d, [&](int i) { return p.x[at + i] * p.dy[at + i]; });
  float c = norm > p.epsilon ? dot * k * k : 0.f;
  each(p.d, [&](int i) { static_cast<float*>(p.y)[at + i] = (p.dy[at + i] - p.x[at + i] * c) * k; });
}
