// Attention in FP32, forward and backward, for heads of any width up to 256: the formulas of attention.cu and attention_backward.cu without tensor cores.
//
// A block of 256 threads takes half a tile, 32 rows, of one sequence and head, eight threads a row; 32 rows of the other side are in shared memory at a time. The eight
// threads of a row lie in one warp: they share its scores over shared memory and fold them with shuffles, so that only new tiles need a barrier.
// Rows in shared memory are one element longer than wide: rows then start in different banks.
#include "../include/attention.cuh"

constexpr int F32_THREADS = 256, EIGHTH = 8, SIDE = 32, SHARED_ROW = SIDE + 1;

/// The half of the block's tile that blockIdx.z names.
DEVICE RowTile half_tile(const int* tiles) {
  RowTile t = row_tile(tiles, blockIdx.x);
  const int skipped = blockIdx.z * SIDE;
  t.first += skipped;
  t.count = max(0, min(SIDE, t.count - skipped));
  return t;
}

DEVICE void load_rows_f32(float* to, const float* from, long long stride, int head, int width, int first, int end) {
  for (int i = threadIdx.x; i < SIDE * width; i += F32_THREADS) {
    int r = i / width, c = i % width;
    to[r * (width + 1) + c] = first + r < end ? from[(first + r) * stride + static_cast<long long>(head) * width + c] : 0.f;
  }
}

DEVICE float dot(const float* a, const float* b, int n) {
  float sum = 0.f;
  for (int i = 0; i < n; i++) sum = fmaf(a[i], b[i], sum);
  return sum;
}

DEVICE float eighth_sum(float x) {
  for (int o = 1; o < EIGHTH; o *= 2) x += __shfl_xor_sync(FULL, x, o);
  return x;
}

/// o[i] += Σ_j weight[j]·rows[j, c + 8·i]
template <int COLUMNS> DEVICE void add_weighted(float (&o)[COLUMNS], const float* weight, const float* rows, int width, int c) {
  for (int j = 0; j < SIDE; j++) {
    const float w = weight[j];
    UNROLL for (int i = 0; i < COLUMNS; i++)
      if (c + EIGHTH * i < width) o[i] = fmaf(w, rows[j * (width + 1) + c + EIGHTH * i], o[i]);
  }
}

template <int COLUMNS> DEVICE void store_row(float* to, int stride, int head, int width, int row, int c, const float (&o)[COLUMNS], float factor) {
  UNROLL for (int i = 0; i < COLUMNS; i++)
    if (c + EIGHTH * i < width) to[static_cast<long long>(row) * stride + static_cast<long long>(head) * width + c + EIGHTH * i] = o[i] * factor;
}

template <int COLUMNS> DEVICE void attend_f32(const AttentionArguments<float>& p) {
  float *qs = shared_memory<float>(), *ks = qs + SIDE * (p.d + 1), *vs = ks + SIDE * (p.d + 1), *ps = vs + SIDE * (p.e + 1);
  const int head = blockIdx.y, r = threadIdx.x / EIGHTH, c = threadIdx.x % EIGHTH;
  const RowTile t = half_tile(p.tiles);
  if (t.count == 0) return;
  const int row = t.first + r, end = t.first + t.count, low = r < t.count ? p.from[row] : 0, high = r < t.count ? p.to[row] : 0;
  const long long bias = (static_cast<long long>(head) * p.bias_q + row - t.query_begin) * p.bias_k - t.key_begin;
  load_rows_f32(qs, p.q, p.q_row, head, p.d, t.first, end);
  float o[COLUMNS] = {}, m = -INFINITY, sum = 0.f;
  for (int k0 = t.low; k0 < t.high; k0 += SIDE) {
    __syncthreads();
    load_rows_f32(ks, p.k, p.k_row, head, p.d, k0, t.high);
    load_rows_f32(vs, p.v, p.v_row, head, p.e, k0, t.high);
    __syncthreads();
    float s[SIDE / EIGHTH], top = m;
    UNROLL for (int j = 0; j < SIDE / EIGHTH; j++) {
      const int key = k0 + c + EIGHTH * j;
      s[j] = key < low || key >= high ? -INFINITY : dot(qs + r * (p.d + 1), ks + (c + EIGHTH * j) * (p.d + 1), p.d) * p.scale + (p.bias ? p.bias[bias + key] : 0.f);
      top = fmaxf(top, s[j]);
    }
    for (int i = 1; i < EIGHTH; i *= 2) top = fmaxf(top, __shfl_xor_sync(FULL, top, i));
    const float shift = top == -INFINITY ? 0.f : top, shrink = expf(m - shift);
    m = top;
    sum *= shrink;
    UNROLL for (int j = 0; j < SIDE / EIGHTH; j++) {
      s[j] = expf(s[j] - shift);
      sum += s[j];
      ps[r * SHARED_ROW + c + EIGHTH * j] = s[j];
    }
    UNROLL for (int i = 0; i < COLUMNS; i++) o[i] *= shrink;
    __syncwarp();
    add_weighted(o, ps + r * SHARED_ROW, vs, p.e, c);
  }
  sum = eighth_sum(sum);
  if (r >= t.count) return;
  store_row(p.o, p.o_row, head, p.e, row, c, o, sum > 0.f ? 1.f / sum : 0.f);
  if (p.lse && c == 0) p.lse[static_cast<long long>(row) * p.heads + head] = sum > 0.f ? m + logf(sum) : -INFINITY;
}

template <int COLUMNS> DEVICE void backward_queries_f32(const AttentionBackwardArguments<float>& p) {
  float *qs = shared_memory<float>(), *gs = qs + SIDE * (p.d + 1), *ks = gs + SIDE * (p.e + 1), *vs = ks + SIDE * (p.d + 1), *ps = vs + SIDE * (p.e + 1);
  const int head = blockIdx.y, r = threadIdx.x / EIGHTH, c = threadIdx.x % EIGHTH;
  const RowTile t = half_tile(p.tiles);
  if (t.count == 0) return;
  const int row = t.first + r, end = t.first + t.count;
  const bool valid = r < t.count;
  const int low = valid ? p.from[row] : 0, high = valid ? p.to[row] : 0;
  const long long bias = (static_cast<long long>(head) * p.bias_q + row - t.query_begin) * p.bias_k - t.key_begin;
  const float lse = valid ? p.lse[static_cast<long long>(row) * p.heads + head] : 0.f;
  float delta = 0.f;
  if (valid)
    for (int i = c; i < p.e; i += EIGHTH) {
      const long long column = static_cast<long long>(head) * p.e + i;
      delta = fmaf(p.o[static_cast<long long>(row) * p.o_row + column], p.g[static_cast<long long>(row) * p.g_row + column], delta);
    }
  delta = eighth_sum(delta);
  if (valid && c == 0) p.delta[static_cast<long long>(row) * p.heads + head] = delta;
  load_rows_f32(qs, p.q, p.q_row, head, p.d, t.first, end);
  load_rows_f32(gs, p.g, p.g_row, head, p.e, t.first, end);
  float dq[COLUMNS] = {};
  for (int k0 = t.low; k0 < t.high; k0 += SIDE) {
    __syncthreads();
    load_rows_f32(ks, p.k, p.k_row, head, p.d, k0, t.high);
    load_rows_f32(vs, p.v, p.v_row, head, p.e, k0, t.high);
    __syncthreads();
    UNROLL for (int j = 0; j < SIDE / EIGHTH; j++) {
      const int at = c + EIGHTH * j, key = k0 + at;
      float ds = 0.f;
      if (key >= low && key < high) {
        const float z = dot(qs + r * (p.d + 1), ks + at * (p.d + 1), p.d) * p.scale + (p.bias ? p.bias[bias + key] : 0.f);
        ds = expf(z - lse) * (dot(gs + r * (p.e + 1), vs + at * (p.e + 1), p.e) - delta);
      }
      ps[r * SHARED_ROW + at] = ds;
    }
    __syncwarp();
    add_weighted(dq, ps + r * SHARED_ROW, ks, p.d, c);
  }
  if (valid) store_row(p.dq, p.dq_row, head, p.d, row, c, dq, p.scale);
}

template <int COLUMNS> DEVICE void backward_keys_f32(const AttentionBackwardArguments<float>& p) {
  float *ks = shared_memory<float>(), *vs = ks + SIDE * (p.d + 1), *qs = vs + SIDE * (p.e + 1), *gs = qs + SIDE * (p.d + 1), *ps = gs + SIDE * (p.e + 1), *ds = ps + SIDE * SHARED_ROW;
  const int head = blockIdx.y, r = threadIdx.x / EIGHTH, c = threadIdx.x % EIGHTH;
  const RowTile t = half_tile(p.tiles);
  if (t.count == 0) return;
  const int key = t.first + r, end = t.first + t.count;
  load_rows_f32(ks, p.k, p.k_row, head, p.d, t.first, end);
  load_rows_f32(vs, p.v, p.v_row, head, p.e, t.first, end);
  float dk[COLUMNS] = {}, dv[COLUMNS] = {};
  for (int q0 = t.low; q0 < t.high; q0 += SIDE) {
    __syncthreads();
    load_rows_f32(qs, p.q, p.q_row, head, p.d, q0, t.high);
    load_rows_f32(gs, p.g, p.g_row, head, p.e, q0, t.high);
    __syncthreads();
    UNROLL for (int j = 0; j < SIDE / EIGHTH; j++) {
      const int at = c + EIGHTH * j, q = q0 + at;
      float probability = 0.f, slope = 0.f;
      if (q < t.high && key >= p.from[q] && key < p.to[q] && key < end) {
        float z = dot(ks + r * (p.d + 1), qs + at * (p.d + 1), p.d) * p.scale;
        if (p.bias) z += p.bias[(static_cast<long long>(head) * p.bias_q + q - t.query_begin) * p.bias_k + key - t.key_begin];
        probability = expf(z - p.lse[static_cast<long long>(q) * p.heads + head]);
        slope = probability * (dot(vs + r * (p.e + 1), gs + at * (p.e + 1), p.e) - p.delta[static_cast<long long>(q) * p.heads + head]);
      }
      ps[r * SHARED_ROW + at] = probability;
      ds[r * SHARED_ROW + at] = slope;
    }
    __syncwarp();
    add_weighted(dv, ps + r * SHARED_ROW, gs, p.e, c);
    add_weighted(dk, ds + r * SHARED_ROW, qs, p.d, c);
  }
  if (key >= end) return;
  store_row(p.dk, p.dk_row, head, p.d, key, c, dk, p.scale);
  store_row(p.dv, p.dv_row, head, p.e, key, c, dv, 1.f);
}

#define F32(WIDTH) \
  KERNEL(attention_forward_f32_##WIDTH, AttentionArguments<float>, F32_THREADS, 1) { attend_f32<WIDTH / EIGHTH>(p); } \
  KERNEL(attention_backward_queries_f32_##WIDTH, AttentionBackwardArguments<float>, F32_THREADS, 1) { backward_queries_f32<WIDTH / EIGHTH>(p); } \
  KERNEL(attention_backward_keys_f32_##WIDTH, AttentionBackwardArguments<float>, F32_THREADS, 1) { backward_keys_f32<WIDTH / EIGHTH>(p); }
F32(64)
F32(256)

/// 32 × 32 positions of one head, a share of the sequences: see backward_bias in attention_backward.cu.
KERNEL(attention_backward_bias_f32, AttentionBackwardArguments<float>, F32_THREADS, 1) {
  float *qs = shared_memory<float>(), *gs = qs + SIDE * (p.d + 1), *ks = gs + SIDE * (p.e + 1), *vs = ks + SIDE * (p.d + 1);
  const int head = blockIdx.y, r = threadIdx.x / EIGHTH, c = threadIdx.x % EIGHTH;
  const int across = ceil_div(p.bias_k, SIDE), i0 = blockIdx.x / across * SIDE, j0 = blockIdx.x % across * SIDE;
  const int share = ceil_div(p.sequences, gridDim.z), first = blockIdx.z * share, last = min(p.sequences, first + share);
  const float* bias = p.bias + (static_cast<long long>(head) * p.bias_q + i0 + r) * p.bias_k + j0;
  float sum[SIDE / EIGHTH] = {};
  for (int sequence = first; sequence < last; sequence++) {
    const int q0 = p.q_offsets[sequence] + i0, q_end = p.q_offsets[sequence + 1], k0 = p.k_offsets[sequence] + j0, k_end = p.k_offsets[sequence + 1], row = q0 + r;
    if (q0 >= q_end || k0 >= k_end) continue;
    load_rows_f32(qs, p.q, p.q_row, head, p.d, q0, q_end);
    load_rows_f32(gs, p.g, p.g_row, head, p.e, q0, q_end);
    load_rows_f32(ks, p.k, p.k_row, head, p.d, k0, k_end);
    load_rows_f32(vs, p.v, p.v_row, head, p.e, k0, k_end);
    __syncthreads();
    if (row < q_end)
      UNROLL for (int j = 0; j < SIDE / EIGHTH; j++) {
        const int at = c + EIGHTH * j, key = k0 + at;
        if (key < p.from[row] || key >= p.to[row]) continue;
        const float z = dot(qs + r * (p.d + 1), ks + at * (p.d + 1), p.d) * p.scale + bias[at];
        sum[j] += expf(z - p.lse[static_cast<long long>(row) * p.heads + head])
            * (dot(gs + r * (p.e + 1), vs + at * (p.e + 1), p.e) - p.delta[static_cast<long long>(row) * p.heads + head]);
      }
    __syncthreads();
  }
  float* to = p.dbias + ((static_cast<long long>(blockIdx.z) * p.heads + head) * p.bias_q + i0 + r) * p.bias_k + j0;
  UNROLL for (int j = 0; j < SIDE / EIGHTH; j++)
    if (i0 + r < p.bias_q && j0 + c + EIGHTH * j < p.bias_k) to[c + EIGHTH * j] = sum[j];
}
