// How attention came to be: heads of width 64, every row of one sequence sees every other. One idea a rung; what is shipped is attention.cu.
//
//   rung  idea                                                      scores computed  K and V read from memory      TFLOP/s on a GPU
//   1     a thread a query: largest score, then sum, then o         3 times          3 times a query               not measured on a GPU
//   2     the running softmax: one pass                             once             once a query                  not measured on a GPU
//   3     32 keys at a time in shared memory for 64 queries         once             once for 64 queries           not measured on a GPU
//   4     tensor cores; scores and probabilities stay in registers  once             once for 64 queries           not measured on a GPU
//   top   the next tile under way meanwhile, ranges, bias, ragged   once             once for 64 queries, hidden   not measured on a GPU
#include "../include/attention.cuh"
#include "../include/online_softmax.cuh"

constexpr int HEAD = 64;

struct LadderAttentionArguments { const bf16 *q, *k, *v; bf16* o; int rows, heads; float scale; };

/// Where row r of this block's head starts.
DEVICE long long at(const LadderAttentionArguments& p, int r) { return (static_cast<long long>(r) * p.heads + blockIdx.y) * HEAD; }

DEVICE float score(const LadderAttentionArguments& p, int query, int key) {
  float sum = 0.f;
  for (int i = 0; i < HEAD; i++) sum = fmaf(to_float(p.q[at(p, query) + i]), to_float(p.k[at(p, key) + i]), sum);
  return sum * p.scale;
}

KERNEL(ladder_attention_1, LadderAttentionArguments, 64) {
  const int query = blockIdx.x * 64 + threadIdx.x;
  if (query >= p.rows) return;
  float top = -INFINITY, sum = 0.f, o[HEAD] = {};
  for (int j = 0; j < p.rows; j++) top = fmaxf(top, score(p, query, j));
  for (int j = 0; j < p.rows; j++) sum += expf(score(p, query, j) - top);
  for (int j = 0; j < p.rows; j++) {
    const float w = expf(score(p, query, j) - top) / sum;
    UNROLL for (int i = 0; i < HEAD; i++) o[i] = fmaf(w, to_float(p.v[at(p, j) + i]), o[i]);
  }
  UNROLL for (int i = 0; i < HEAD; i++) p.o[at(p, query) + i] = from_float<bf16>(o[i]);
}

/// A running softmax with what it weighs: a new largest score shrinks what was summed before.
struct Weighted {
  float top = -INFINITY, sum = 0.f, o[HEAD] = {};

  template <class V> DEVICE void add(float z, V v) {
    const float larger = fmaxf(top, z), shrink = expf(top - larger), w = expf(z - larger);
    top = larger;
    sum = sum * shrink + w;
    UNROLL for (int i = 0; i < HEAD; i++) o[i] = o[i] * shrink + w * v(i);
  }
  DEVICE void store(bf16* to) const { UNROLL for (int i = 0; i < HEAD; i++) to[i] = from_float<bf16>(o[i] / sum); }
};

KERNEL(ladder_attention_2, LadderAttentionArguments, 64) {
  const int query = blockIdx.x * 64 + threadIdx.x;
  if (query >= p.rows) return;
  Weighted w;
  for (int j = 0; j < p.rows; j++) w.add(score(p, query, j), [&](int i) { return to_float(p.v[at(p, j) + i]); });
  w.store(p.o + at(p, query));
}

KERNEL(ladder_attention_3, LadderAttentionArguments, 64) {
  constexpr int KEYS = 32;
  float *q = shared_memory<float>(), *k = q + 64 * (HEAD + 1), *v = k + KEYS * HEAD;
  const int query = blockIdx.x * 64 + threadIdx.x;
  for (int i = threadIdx.x; i < 64 * HEAD; i += 64) {
    const int r = blockIdx.x * 64 + i / HEAD;
    q[i / HEAD * (HEAD + 1) + i % HEAD] = r < p.rows ? to_float(p.q[at(p, r) + i % HEAD]) : 0.f;
  }
  Weighted w;
  for (int j0 = 0; j0 < p.rows; j0 += KEYS) {
    __syncthreads();
    for (int i = threadIdx.x; i < KEYS * HEAD; i += 64) {
      const int r = j0 + i / HEAD;
      k[i] = r < p.rows ? to_float(p.k[at(p, r) + i % HEAD]) : 0.f;
      v[i] = r < p.rows ? to_float(p.v[at(p, r) + i % HEAD]) : 0.f;
    }
    __syncthreads();
    for (int j = 0; j < min(KEYS, p.rows - j0); j++) {
      float z = 0.f;
      for (int i = 0; i < HEAD; i++) z = fmaf(q[threadIdx.x * (HEAD + 1) + i], k[j * HEAD + i], z);
      w.add(z * p.scale, [&](int i) { return v[j * HEAD + i]; });
    }
  }
  if (query < p.rows) w.store(p.o + at(p, query));
}

KERNEL(ladder_attention_4, LadderAttentionArguments, ATTENTION_THREADS) {
  constexpr int ROW = Width<HEAD>::ROW, GROUPS = TILE / 16;
  bf16 *qs = shared_memory<bf16>(), *ks = qs + TILE * ROW, *vs = ks + TILE * ROW;
  const int stride = p.heads * HEAD, head = blockIdx.y, first = blockIdx.x * TILE, row = first + warp() * 16 + fragment_row();
  const HeadRows q = head_rows(p.q, stride, head, HEAD), k = head_rows(p.k, stride, head, HEAD), v = head_rows(p.v, stride, head, HEAD);
  load_rows<HEAD, TILE>(qs, q, first, p.rows);
  float o[HEAD / 8][4], top[2] = {-INFINITY, -INFINITY}, sum[2] = {0.f, 0.f};
  clear(o);
  for (int j0 = 0; j0 < p.rows; j0 += TILE) {
    load_rows<HEAD, TILE>(ks, k, j0, p.rows);
    load_rows<HEAD, TILE>(vs, v, j0, p.rows);
    copy_commit();
    copy_wait<0>();
    __syncthreads();
    const int valid = min(TILE, p.rows - j0);
    float s[2 * GROUPS][4];
    scores<HEAD, GROUPS>(s, qs + warp() * 16 * ROW, ks, valid);
    UNROLL for (int r = 0; r < 2; r++) {
      float larger = top[r];
      UNROLL for (int j = 0; j < 2 * GROUPS; j++) UNROLL for (int c = 0; c < 2; c++) {
        s[j][2 * r + c] = j * 8 + fragment_column() + c < valid ? s[j][2 * r + c] * p.scale * LOG2E : -INFINITY;
        larger = fmaxf(larger, s[j][2 * r + c]);
      }
      larger = row_max(larger);
      const float shrink = exp2_fast(top[r] - larger);
      top[r] = larger;
      sum[r] *= shrink;
      UNROLL for (int n = 0; n < HEAD / 8; n++) UNROLL for (int c = 0; c < 2; c++) o[n][2 * r + c] *= shrink;
      UNROLL for (int j = 0; j < 2 * GROUPS; j++) UNROLL for (int c = 0; c < 2; c++) sum[r] += s[j][2 * r + c] = exp2_fast(s[j][2 * r + c] - larger);
    }
    accumulate<HEAD, GROUPS>(o, s, vs, valid);
    __syncthreads();
  }
  store_rows(p.o, stride, head, HEAD, row, p.rows, o, 1.f / row_sum(sum[0]), 1.f / row_sum(sum[1]));
}
