// Attention backward: the probabilities are made again from the log-sum-exp. With G = do, z = scale·q·kᵀ + bias and, for a query, δ = Σ do·o:
//
//   P = exp(z − lse);   dV = Pᵀ·G;   dS = P∘(G·Vᵀ − δ);   dQ = scale·dS·K;   dK = scale·dSᵀ·Q;   dbias = Σ over sequences of dS
//
// Each result has its own kernel, and each element one owner, which adds in a fixed order: no atomics, no FP32 copy of dQ. That is seven products where sharing
// them needs five; at the lengths of CLIP memory, not arithmetic, is the bound.
//   _queries: a block owns 64 queries, streams keys: δ and dQ.
//   _keys:    a block owns 64 keys, streams queries; it computes Sᵀ = K·Qᵀ, so that Pᵀ and dSᵀ are in registers just as the left factors of dV and dK.
//   _bias:    a block owns 64 × 64 positions of one head, walks a share of the sequences; _bias_fold adds the shares in order.
#include "../include/attention.cuh"

/// Keys whose scores a warp holds at a time: with both S and dS in registers a whole tile would not fit.
constexpr int HALF = TILE / 2;

template <int D> DEVICE void backward_queries(const AttentionBackwardArguments<bf16>& p) {
  constexpr int ROW = Width<D>::ROW, GROUPS = HALF / 16;
  bf16 *qs = shared_memory<bf16>(), *gs = qs + TILE * ROW, *ks = gs + TILE * ROW, *vs = ks + 2 * TILE * ROW;
  const int head = blockIdx.y;
  const RowTile t = row_tile(p.tiles, blockIdx.x);
  const HeadRows q = head_rows(p.q, p.q_row, head, p.d), k = head_rows(p.k, p.k_row, head, p.d), v = head_rows(p.v, p.v_row, head, p.e), g = head_rows(p.g, p.g_row, head, p.e),
      o = head_rows(p.o, p.o_row, head, p.e);
  const int tiles = ceil_div(max(0, t.high - t.low), TILE), end = t.first + t.count, row = t.first + warp() * 16 + fragment_row();
  const float exponent = p.scale * LOG2E;
  load_rows<D, TILE>(qs, q, t.first, end);
  load_rows<D, TILE>(gs, g, t.first, end);
  if (tiles > 0) {
    load_rows<D, TILE>(ks, k, t.low, t.high);
    load_rows<D, TILE>(vs, v, t.low, t.high);
  }
  copy_commit();
  float lse[2], delta[2];
  int low[2], high[2];
  UNROLL for (int r = 0; r < 2; r++) {
    const int at = row + 8 * r;
    float sum = 0.f;
    if (at < end)
      for (int c = fragment_column(); c < p.e; c += 8) {
        auto a = *reinterpret_cast<const Pack<bf16, 2>*>(o.at + at * o.stride + c), b = *reinterpret_cast<const Pack<bf16, 2>*>(g.at + at * g.stride + c);
        sum += to_float(a.v[0]) * to_float(b.v[0]) + to_float(a.v[1]) * to_float(b.v[1]);
      }
    delta[r] = row_sum(sum);
    low[r] = at < end ? p.from[at] : 0;
    high[r] = at < end ? p.to[at] : 0;
    lse[r] = at < end ? log2_sum(p.lse[static_cast<long long>(at) * p.heads + head]) : INFINITY;
    if (at < end && lane() % 4 == 0) p.delta[static_cast<long long>(at) * p.heads + head] = delta[r];
  }
  float dq[D / 8][4];
  clear(dq);
  for (int i = 0; i < tiles; i++) {
    const int k0 = t.low + i * TILE, valid = min(TILE, t.high - k0);
    if (i + 1 < tiles) {
      load_rows<D, TILE>(ks + ((i + 1) & 1) * TILE * ROW, k, k0 + TILE, t.high);
      load_rows<D, TILE>(vs + ((i + 1) & 1) * TILE * ROW, v, k0 + TILE, t.high);
      copy_commit();
      copy_wait<1>();
    } else copy_wait<0>();
    __syncthreads();
    if (warp() * 16 < t.count) {
      const bf16 *kt = ks + (i & 1) * TILE * ROW, *vt = vs + (i & 1) * TILE * ROW;
      for (int j0 = 0; j0 < valid; j0 += HALF) {
        float s[2 * GROUPS][4], ds[2 * GROUPS][4];
        scores<D, GROUPS>(s, qs + warp() * 16 * ROW, kt + j0 * ROW, valid - j0);
        scores<D, GROUPS>(ds, gs + warp() * 16 * ROW, vt + j0 * ROW, valid - j0);
        UNROLL for (int r = 0; r < 2; r++) {
          const long long bias = (static_cast<long long>(head) * p.bias_q + row + 8 * r - t.query_begin) * p.bias_k - t.key_begin;
          UNROLL for (int j = 0; j < 2 * GROUPS; j++) UNROLL for (int c = 0; c < 2; c++) {
            const int key = k0 + j0 + j * 8 + fragment_column() + c, x = 2 * r + c;
            const bool seen = key >= low[r] && key < high[r];
            const float z = s[j][x] * exponent + (p.bias && seen ? p.bias[bias + key] * LOG2E : 0.f);
            ds[j][x] = seen ? exp2_fast(z - lse[r]) * (ds[j][x] - delta[r]) : 0.f;
          }
        }
        accumulate<D, GROUPS>(dq, ds, kt + j0 * ROW, valid - j0);
      }
    }
    __syncthreads();
  }
  copy_wait<0>();
  store_rows(p.dq, p.dq_row, head, p.d, row, end, dq, p.scale, p.scale);
}

/// Queries in flight: fewer for wide heads, whose sums fill the registers.
template <int D> constexpr int QUERIES = D <= 88 ? 64 : 32;

template <int D> DEVICE void backward_keys(const AttentionBackwardArguments<bf16>& p) {
  constexpr int ROW = Width<D>::ROW, N = QUERIES<D>, GROUPS = N / 16;
  bf16 *ks = shared_memory<bf16>(), *vs = ks + TILE * ROW, *qs = vs + TILE * ROW, *gs = qs + 2 * N * ROW;
  float* rows = reinterpret_cast<float*>(gs + 2 * N * ROW);                              // [2 stages][lse, δ][N]
  int* bounds = reinterpret_cast<int*>(rows + 4 * N);                                    // [2 stages][from, to][N]
  const int head = blockIdx.y;
  const RowTile t = row_tile(p.tiles, blockIdx.x);
  const HeadRows q = head_rows(p.q, p.q_row, head, p.d), k = head_rows(p.k, p.k_row, head, p.d), v = head_rows(p.v, p.v_row, head, p.e), g = head_rows(p.g, p.g_row, head, p.e);
  const int tiles = ceil_div(max(0, t.high - t.low), N), end = t.first + t.count, key = t.first + warp() * 16 + fragment_row();
  const float exponent = p.scale * LOG2E;
  auto stage = [&](int i) {
    const int q0 = t.low + i * N, at = (i & 1) * N;
    load_rows<D, N>(qs + at * ROW, q, q0, t.high);
    load_rows<D, N>(gs + at * ROW, g, q0, t.high);
    copy_commit();
    if (threadIdx.x < N) {
      const int r = q0 + threadIdx.x;
      const bool valid = r < t.high;
      rows[2 * at + threadIdx.x] = valid ? log2_sum(p.lse[static_cast<long long>(r) * p.heads + head]) : INFINITY;
      rows[2 * at + N + threadIdx.x] = valid ? p.delta[static_cast<long long>(r) * p.heads + head] : 0.f;
      bounds[2 * at + threadIdx.x] = valid ? p.from[r] : 0;
      bounds[2 * at + N + threadIdx.x] = valid ? p.to[r] : 0;
    }
  };
  float dk[D / 8][4], dv[D / 8][4];
  clear(dk);
  clear(dv);
  if (tiles > 0) {
    load_rows<D, TILE>(ks, k, t.first, end);
    load_rows<D, TILE>(vs, v, t.first, end);
    stage(0);
  }
  for (int i = 0; i < tiles; i++) {
    const int q0 = t.low + i * N, valid = min(N, t.high - q0);
    if (i + 1 < tiles) {
      stage(i + 1);
      copy_wait<1>();
    } else copy_wait<0>();
    __syncthreads();
    if (warp() * 16 < t.count) {
      const bf16 *qt = qs + (i & 1) * N * ROW, *gt = gs + (i & 1) * N * ROW;
      const float *lse = rows + (i & 1) * 2 * N, *delta = lse + N;
      const int *low = bounds + (i & 1) * 2 * N, *high = low + N;
      float s[2 * GROUPS][4], ds[2 * GROUPS][4];
      scores<D, GROUPS>(s, ks + warp() * 16 * ROW, qt, valid);                           // Sᵀ [keys, queries]
      UNROLL for (int j = 0; j < 2 * GROUPS; j++) UNROLL for (int c = 0; c < 2; c++) {
        const int column = j * 8 + fragment_column() + c;
        UNROLL for (int r = 0; r < 2; r++) {
          const int at = key + 8 * r, x = 2 * r + c;
          const bool seen = at >= low[column] && at < high[column];
          const float bias = p.bias && seen ? p.bias[(static_cast<long long>(head) * p.bias_q + q0 + column - t.query_begin) * p.bias_k + at - t.key_begin] * LOG2E : 0.f;
          s[j][x] = seen ? exp2_fast(s[j][x] * exponent + bias - lse[column]) : 0.f;
        }
      }
      accumulate<D, GROUPS>(dv, s, gt, valid);
      scores<D, GROUPS>(ds, vs + warp() * 16 * ROW, gt, valid);                          // (G·Vᵀ)ᵀ
      UNROLL for (int j = 0; j < 2 * GROUPS; j++) UNROLL for (int x = 0; x < 4; x++) ds[j][x] = s[j][x] * (ds[j][x] - delta[j * 8 + fragment_column() + x % 2]);
      accumulate<D, GROUPS>(dk, ds, qt, valid);
    }
    __syncthreads();
  }
  store_rows(p.dk, p.dk_row, head, p.d, key, end, dk, p.scale, p.scale);
  store_rows(p.dv, p.dv_row, head, p.e, key, end, dv, 1.f, 1.f);
}

template <int D> DEVICE void backward_bias(const AttentionBackwardArguments<bf16>& p) {
  constexpr int ROW = Width<D>::ROW, GROUPS = TILE / 16;
  bf16 *qs = shared_memory<bf16>(), *gs = qs + TILE * ROW, *ks = gs + TILE * ROW, *vs = ks + TILE * ROW;
  const int head = blockIdx.y, across = ceil_div(p.bias_k, TILE), i0 = blockIdx.x / across * TILE, j0 = blockIdx.x % across * TILE;
  const int share = ceil_div(p.sequences, gridDim.z), first = blockIdx.z * share, last = min(p.sequences, first + share);
  const HeadRows q = head_rows(p.q, p.q_row, head, p.d), k = head_rows(p.k, p.k_row, head, p.d), v = head_rows(p.v, p.v_row, head, p.e), g = head_rows(p.g, p.g_row, head, p.e);
  const float exponent = p.scale * LOG2E;
  const int local = warp() * 16 + fragment_row();
  float sum[2 * GROUPS][4];
  clear(sum);
  for (int sequence = first; sequence < last; sequence++) {
    const int q0 = p.q_offsets[sequence] + i0, q_end = p.q_offsets[sequence + 1], k0 = p.k_offsets[sequence] + j0, k_end = p.k_offsets[sequence + 1];
    if (q0 >= q_end || k0 >= k_end) continue;
    load_rows<D, TILE>(qs, q, q0, q_end);
    load_rows<D, TILE>(gs, g, q0, q_end);
    load_rows<D, TILE>(ks, k, k0, k_end);
    load_rows<D, TILE>(vs, v, k0, k_end);
    copy_commit();
    copy_wait<0>();
    __syncthreads();
    if (q0 + warp() * 16 < q_end) {
      float s[2 * GROUPS][4], ds[2 * GROUPS][4];
      scores<D, GROUPS>(s, qs + warp() * 16 * ROW, ks, k_end - k0);
      scores<D, GROUPS>(ds, gs + warp() * 16 * ROW, vs, k_end - k0);
      UNROLL for (int r = 0; r < 2; r++) {
        const int row = q0 + local + 8 * r;
        if (row < q_end) {
          const int low = p.from[row], high = p.to[row];
          const float lse = log2_sum(p.lse[static_cast<long long>(row) * p.heads + head]), delta = p.delta[static_cast<long long>(row) * p.heads + head];
          const float* bias = p.bias + (static_cast<long long>(head) * p.bias_q + i0 + local + 8 * r) * p.bias_k + j0 - k0;
          UNROLL for (int j = 0; j < 2 * GROUPS; j++) UNROLL for (int c = 0; c < 2; c++) {
            const int key = k0 + j * 8 + fragment_column() + c, x = 2 * r + c;
            if (key >= low && key < high) sum[j][x] += exp2_fast(s[j][x] * exponent + bias[key] * LOG2E - lse) * (ds[j][x] - delta);
          }
        }
      }
    }
    __syncthreads();
  }
  UNROLL for (int r = 0; r < 2; r++) {
    const int i = i0 + local + 8 * r;
    float* to = p.dbias + ((static_cast<long long>(blockIdx.z) * p.heads + head) * p.bias_q + i) * p.bias_k;
    UNROLL for (int j = 0; j < 2 * GROUPS; j++) UNROLL for (int c = 0; c < 2; c++) {
      const int column = j0 + j * 8 + fragment_column() + c;
      if (i < p.bias_q && column < p.bias_k) to[column] = sum[j][2 * r + c];
    }
  }
}

#define BACKWARD(D, BLOCKS) \
  KERNEL(attention_backward_queries_##D, AttentionBackwardArguments<bf16>, ATTENTION_THREADS, BLOCKS) { backward_queries<D>(p); } \
  KERNEL(attention_backward_keys_##D, AttentionBackwardArguments<bf16>, ATTENTION_THREADS, 2) { backward_keys<D>(p); }
BACKWARD(32, 3)
BACKWARD(64, 3)
BACKWARD(72, 3)
BACKWARD(80, 2)
BACKWARD(88, 2)
BACKWARD(96, 2)
BACKWARD(104, 2)
BACKWARD(112, 2)
BACKWARD(128, 2)

KERNEL(attention_backward_bias_64, AttentionBackwardArguments<bf16>, ATTENTION_THREADS, 2) { backward_bias<64>(p); }
KERNEL(attention_backward_bias_128, AttentionBackwardArguments<bf16>, ATTENTION_THREADS, 2) { backward_bias<128>(p); }

struct BiasFoldArguments { const float* shares; float* to; int n, count; };

/// to[i] = Σ over shares of shares[·, i], in order.
KERNEL(attention_bias_fold, BiasFoldArguments, 256) {
  grid_stride(p.n, [&](long long i) {
    float sum = 0.f;
    for (int s = 0; s < p.count; s++) sum += p.shares[static_cast<long long>(s) * p.n + i];
    p.to[i] = sum;
  });
}
