// Attention forward (Vaswani et al. 2017; tiled with a running softmax as Dao et al. 2022, FlashAttention; Milakov and Gimelshein 2018).
//
//   o_q = Σ_j softmax_j(scale·q·k_j + bias[h, q, j])·v_j over the keys j of q's range;   lse_q = log Σ_j exp(…)
//   q [rq, heads·d], k [rk, heads·d], v [rk, heads·e], bias [heads, Q, K] → o [rq, heads·e], lse [rq, heads]
//
// A block of four warps takes 64 queries of one sequence and head; keys and values stream through shared memory in tiles of 64, two in flight. A warp
// owns 16 queries: their scores, probabilities and sums never leave its registers. The softmax is kept in FP32, base 2. Queries without keys give 0 and −∞.
// Rows are padded to whole fragments with zeros; groups of 16 keys that no query of the tile sees cost nothing.
#include "../include/attention.cuh"

template <int D> DEVICE void attend(const AttentionArguments<bf16>& p) {
  constexpr int ROW = Width<D>::ROW, GROUPS = TILE / 16;
  bf16 *qs = shared_memory<bf16>(), *ks = qs + TILE * ROW, *vs = ks + 2 * TILE * ROW;
  int* bounds = reinterpret_cast<int*>(vs + 2 * TILE * ROW);                             // [2][64]
  const int head = blockIdx.y;
  const RowTile t = row_tile(p.tiles, blockIdx.x);
  const HeadRows q = head_rows(p.q, p.q_row, head, p.d), k = head_rows(p.k, p.k_row, head, p.d), v = head_rows(p.v, p.v_row, head, p.e);
  const int tiles = ceil_div(max(0, t.high - t.low), TILE), local = warp() * 16 + fragment_row();
  load_rows<D, TILE>(qs, q, t.first, t.first + t.count);
  if (tiles > 0) {
    load_rows<D, TILE>(ks, k, t.low, t.high);
    load_rows<D, TILE>(vs, v, t.low, t.high);
  }
  copy_commit();
  if (threadIdx.x < TILE) {
    bool valid = static_cast<int>(threadIdx.x) < t.count;
    bounds[threadIdx.x] = valid ? p.from[t.first + threadIdx.x] : 0;
    bounds[TILE + threadIdx.x] = valid ? p.to[t.first + threadIdx.x] : 0;
  }
  float o[D / 8][4], m[2] = {-INFINITY, -INFINITY}, sum[2] = {0.f, 0.f};
  clear(o);
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
      float s[2 * GROUPS][4];
      scores<D, GROUPS>(s, qs + warp() * 16 * ROW, kt, valid);
      if (p.prescale != 1.f) UNROLL for (int j = 0; j < 2 * GROUPS; j++) UNROLL for (int c = 0; c < 4; c++) s[j][c] *= p.prescale;
      if (p.bias || k0 < t.inner_low || k0 + TILE > t.inner_high) {
        UNROLL for (int r = 0; r < 2; r++) {
          const int low = bounds[local + 8 * r], high = bounds[TILE + local + 8 * r];
          const long long bias = (static_cast<long long>(head) * p.bias_q + t.first + local + 8 * r - t.query_begin) * p.bias_k - t.key_begin;
          UNROLL for (int j = 0; j < 2 * GROUPS; j++) UNROLL for (int c = 0; c < 2; c++) {
            const int key = k0 + j * 8 + fragment_column() + c;
            if (key < low || key >= high) s[j][2 * r + c] = -INFINITY;
            else if (p.bias) s[j][2 * r + c] += p.bias[bias + key] * LOG2E;
          }
        }
      }
      UNROLL for (int r = 0; r < 2; r++) {
        float top = m[r];
        UNROLL for (int j = 0; j < 2 * GROUPS; j++) top = fmaxf(top, fmaxf(s[j][2 * r], s[j][2 * r + 1]));
        top = row_max(top);
        const float shift = top == -INFINITY ? 0.f : top * p.exponent, shrink = exp2_fast(m[r] * p.exponent - shift);
        m[r] = top;
        sum[r] *= shrink;
        UNROLL for (int n = 0; n < D / 8; n++) UNROLL for (int c = 0; c < 2; c++) o[n][2 * r + c] *= shrink;
        UNROLL for (int j = 0; j < 2 * GROUPS; j++) UNROLL for (int c = 0; c < 2; c++) {
          s[j][2 * r + c] = exp2_fast(s[j][2 * r + c] * p.exponent - shift);
          sum[r] += s[j][2 * r + c];
        }
      }
      accumulate<D, GROUPS>(o, s, vt, valid);
    }
    __syncthreads();
  }
  copy_wait<0>();
  if (warp() * 16 >= t.count) return;
  UNROLL for (int r = 0; r < 2; r++) sum[r] = row_sum(sum[r]);
  const int row = t.first + local, end = t.first + t.count;
  store_rows(p.o, p.o_row, head, p.e, row, end, o, sum[0] > 0.f ? 1.f / sum[0] : 0.f, sum[1] > 0.f ? 1.f / sum[1] : 0.f);
  if (p.lse && lane() % 4 == 0)
    UNROLL for (int r = 0; r < 2; r++)
      if (row + 8 * r < end) p.lse[static_cast<long long>(row + 8 * r) * p.heads + head] = sum[r] > 0.f ? (m[r] * p.exponent + log2f(sum[r])) * LN2 : -INFINITY;
}

#define ATTEND(D, BLOCKS) KERNEL(attention_forward_##D, AttentionArguments<bf16>, ATTENTION_THREADS, BLOCKS) { attend<D>(p); }
ATTEND(32, 4)
ATTEND(64, 4)
ATTEND(72, 3)
ATTEND(80, 3)
ATTEND(88, 3)
ATTEND(96, 3)
ATTEND(104, 2)
ATTEND(112, 2)
ATTEND(128, 2)
