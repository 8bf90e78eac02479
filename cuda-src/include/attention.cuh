// What the attention kernels share: tiles of 64 rows of one head in shared memory, and products of a warp's 16 rows with them.
//
// D is the widest head a kernel takes: narrower ones are filled with zeros. Rows in shared memory are padded by 8 elements, so that the eight rows that
// one ldmatrix reads lie in different banks.
#pragma once
#include "pack.cuh"
#include "warp.cuh"

constexpr float LOG2E = 1.4426950408889634f, LN2 = 0.6931471805599453f;
constexpr int ATTENTION_THREADS = 128, TILE = 64;        // four warps of 16 rows

/// One tile of rows of a sequence and what it meets, as the host lays it out: 8 ints. For queries the other side is keys, and the other way round.
struct RowTile {
  int first, count;                                      // rows of this tile
  int low, high;                                         // rows of the other side that any of them meets
  int inner_low, inner_high;                             // those that all of them meet: no mask
  int query_begin, key_begin;                            // where the sequence starts: positions of the bias count from here
};

DEVICE RowTile row_tile(const int* tiles, int i) {
  const int* t = tiles + 8 * i;
  return {t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7]};
}

/// What the forward kernels take.
template <class T> struct AttentionArguments {
  const T *q, *k, *v;
  const float* bias;                                     // or null
  T* o;
  float* lse;                                            // or null
  const int *tiles, *from, *to;                          // RowTile of each block; each query's range of keys
  int q_row, k_row, v_row, o_row;                        // elements from row to row
  int heads, d, e, bias_q, bias_k;
  float scale, prescale, exponent;                              // scores are s·prescale + bias; probabilities 2^(exponent·score − …)
};

/// What the backward kernels take.
template <class T> struct AttentionBackwardArguments {
  const T *q, *k, *v, *o, *g;
  const float *bias, *lse;                               // bias or null; lse [rq, heads]
  float* delta;                                          // [rq, heads]: _queries writes it, the others read
  T *dq, *dk, *dv;
  float* dbias;                                          // [shares, heads, bias_q, bias_k]
  const int *tiles, *from, *to;                          // RowTile of each block, each query's range of keys
  const int *q_offsets, *k_offsets;                      // where sequences start [sequences + 1], for _bias
  int q_row, k_row, v_row, o_row, g_row, dq_row, dk_row, dv_row;
  int heads, d, e, bias_q, bias_k, sequences;
  float scale;
};

/// The log-sum-exp in base 2, so that P = 2^(z·log₂e − this); for queries without keys, whose P is 0, it is +∞.
DEVICE float log2_sum(float lse) { return lse == -INFINITY ? INFINITY : lse * LOG2E; }

template <int D> struct Width {
  static constexpr int PADDED = (D + 15) / 16 * 16, ROW = PADDED + 8, STEPS = PADDED / 16, COLUMNS = D / 8;
};

/// One head's rows of a matrix: row r starts at `at + r·stride` and has `width` elements, a multiple of 8.
struct HeadRows {
  const bf16* at;
  long long stride;
  int width;
};
DEVICE HeadRows head_rows(const bf16* at, int stride, int head, int width) { return {at + static_cast<long long>(head) * width, stride, width}; }

/// Starts the copy of rows first … first + ROWS − 1 to shared memory; those from `end` on are zero.
template <int D, int ROWS> DEVICE void load_rows(bf16* to, const HeadRows& from, int first, int end) {
  constexpr int CHUNKS = Width<D>::PADDED / 8;
  for (int c = threadIdx.x; c < ROWS * CHUNKS; c += ATTENTION_THREADS) {
    int r = c / CHUNKS, column = c % CHUNKS * 8;
    bool valid = first + r < end && column < from.width;
    copy_async(to + r * Width<D>::ROW + column, valid ? from.at + (first + r) * from.stride + column : from.at, valid);
  }
}

/// Sixteen rows from `a` as the left factor, columns 16·step and on.
template <int D> DEVICE void load_left(unsigned (&f)[4], const bf16* a, int step) { load_matrix_x4(f, a + (lane() & 15) * Width<D>::ROW + step * 16 + (lane() >> 4) * 8); }

/// c[16 × 16] += f · (sixteen rows from b)ᵀ, over the columns of one step.
template <int D> DEVICE void multiply_rows(float (&c0)[4], float (&c1)[4], const unsigned (&f)[4], const bf16* b, int step) {
  unsigned r[4];
  load_matrix_x4(r, b + ((lane() & 7) + (lane() >> 4) * 8) * Width<D>::ROW + step * 16 + ((lane() >> 3) & 1) * 8);
  unsigned b0[2] = {r[0], r[1]}, b1[2] = {r[2], r[3]};
  multiply_add(c0, f, b0);
  multiply_add(c1, f, b1);
}

/// s[16 × 16·GROUPS] = (16 rows from a) · (rows from b)ᵀ; whole groups of 16 rows of b from `valid` on are left zero.
template <int D, int GROUPS> DEVICE void scores(float (&s)[2 * GROUPS][4], const bf16* a, const bf16* b, int valid) {
  UNROLL for (int j = 0; j < 2 * GROUPS; j++) UNROLL for (int i = 0; i < 4; i++) s[j][i] = 0.f;
  UNROLL for (int step = 0; step < Width<D>::STEPS; step++) {
    unsigned f[4];
    load_left<D>(f, a, step);
    UNROLL for (int g = 0; g < GROUPS; g++)
      if (g * 16 < valid) multiply_rows<D>(s[2 * g], s[2 * g + 1], f, b + g * 16 * Width<D>::ROW, step);
  }
}

/// o[16 × D] += s[16 × 16·GROUPS] · (rows from b), s rounded to BF16: the accumulators of one product are laid out as the left factor of the next.
template <int D, int GROUPS> DEVICE void accumulate(float (&o)[D / 8][4], const float (&s)[2 * GROUPS][4], const bf16* b, int valid) {
  UNROLL for (int g = 0; g < GROUPS; g++)
    if (g * 16 < valid) {
      unsigned f[4] = {pack_bf16(s[2 * g][0], s[2 * g][1]), pack_bf16(s[2 * g][2], s[2 * g][3]), pack_bf16(s[2 * g + 1][0], s[2 * g + 1][1]), pack_bf16(s[2 * g + 1][2], s[2 * g + 1][3])};
      const bf16* row = b + (g * 16 + (lane() & 15)) * Width<D>::ROW;
      UNROLL for (int n = 0; n < D / 16; n++) {
        unsigned r[4];
        load_matrix_x4_transposed(r, row + n * 16 + (lane() >> 4) * 8);
        unsigned b0[2] = {r[0], r[1]}, b1[2] = {r[2], r[3]};
        multiply_add(o[2 * n], f, b0);
        multiply_add(o[2 * n + 1], f, b1);
      }
      if (D % 16) {
        unsigned r[2];
        load_matrix_x2_transposed(r, row + (D / 8 - 1) * 8);
        multiply_add(o[D / 8 - 1], f, r);
      }
    }
}

template <int N> DEVICE void clear(float (&o)[N][4]) {
  UNROLL for (int n = 0; n < N; n++) UNROLL for (int i = 0; i < 4; i++) o[n][i] = 0.f;
}

/// Stores the two rows of a lane, `row` and `row + 8`, those before `end`, times their factors.
template <int N> DEVICE void store_rows(bf16* to, long long stride, int head, int width, int row, int end, const float (&o)[N][4], float factor0, float factor1) {
  UNROLL for (int i = 0; i < 2; i++)
    if (row + i * 8 < end) {
      float f = i ? factor1 : factor0;
      auto at = reinterpret_cast<unsigned*>(to + (row + i * 8) * stride + static_cast<long long>(head) * width + fragment_column());
      UNROLL for (int n = 0; n < N; n++)
        if (n * 8 < width) at[n * 4] = pack_bf16(o[n][2 * i] * f, o[n][2 * i + 1] * f);
    }
}

/// Folds over the four lanes that share a row of a fragment.
DEVICE float row_sum(float x) {
  x += __shfl_xor_sync(FULL, x, 1);
  return x + __shfl_xor_sync(FULL, x, 2);
}
DEVICE float row_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(FULL, x, 1));
  return fmaxf(x, __shfl_xor_sync(FULL, x, 2));
}
