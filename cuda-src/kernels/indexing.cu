// Rows by number. gather: y[i, :] = x[index[i], :], zeros where index[i] = −1. scatter: y[k, :] = Σ x[i, :] over the i with index[i] = k.
//
// The scatter adds no floats atomically: it sorts the rows by the key index[i] (stable radix sort, 8 bits a pass: count, scan, place), finds where
// each key's segment begins, and sums the segments in an order that depends on their lengths alone. The same bits in every run. Where there are few rows,
// each sum looks for its own among all of them: one launch in place of five.
#include "../include/pack.cuh"
#include "../include/warp.cuh"

struct GatherArguments { const void* x; const int* index; void* y; long long* bad; int n, rows, units, pitch; };   // units a row of y, pitch of x in units

/// The key, or −1 in place of one outside −1 … rows−1, which is reported in `bad` as (position + 1) << 32 | key.
DEVICE int checked(int key, int position, int rows, long long* bad) {
  if (key >= -1 && key < rows) return key;
  *static_cast<volatile long long*>(bad) = static_cast<long long>(position + 1) << 32 | static_cast<unsigned>(key);
  return -1;
}

/// Unit by unit of 16, 4, 2 or 1 bytes.
template <class U> DEVICE void gather_units(const GatherArguments& p) {
  grid_stride(static_cast<long long>(p.n) * p.units, [&](long long i) {
    const int row = static_cast<int>(i / p.units), unit = static_cast<int>(i % p.units), key = checked(p.index[row], row, p.rows, p.bad);
    static_cast<U*>(p.y)[i] = key < 0 ? U{} : static_cast<const U*>(p.x)[static_cast<long long>(key) * p.pitch + unit];
  });
}
KERNEL(gather_16, GatherArguments, 256) { gather_units<uint4>(p); }
KERNEL(gather_4, GatherArguments, 256) { gather_units<unsigned>(p); }
KERNEL(gather_2, GatherArguments, 256) { gather_units<uint16_t>(p); }
KERNEL(gather_1, GatherArguments, 256) { gather_units<uint8_t>(p); }

// ---- the sort: 8 warps a block, a warp takes 8·32 neighbouring rows, so that ranks within a digit follow the order of the rows
constexpr int DIGITS = 256, SORT_WARPS = 8, SORT_ROUNDS = 8, SORT_TILE = SORT_WARPS * SORT_ROUNDS * 32;

// keys → sorted keys and the rows they came from; `from` null: the rows in order. counts [DIGITS][blocks]
struct SortArguments { const int* keys; const int* from; int* counts; int* sorted; int* rows; long long* bad; int n, blocks, shift, dropped; };

// The lanes of `among` whose digit is mine.
DEVICE unsigned peers(unsigned among, unsigned digit) {
  for (int b = 0; b < 8; b++) {
    const bool bit = digit >> b & 1;
    const unsigned set = __ballot_sync(FULL, bit);
    among &= bit ? set : ~set;
  }
  return among;
}

// A key that is dropped (−1) sorts behind all others.
DEVICE unsigned sort_key(const SortArguments& p, int i) {
  if (p.from) return p.keys[i];
  const int key = checked(p.keys[i], i, p.dropped, p.bad);
  return key < 0 ? p.dropped : key;
}

DEVICE void sort_histogram(const SortArguments& p, int (*bins)[DIGITS]) {
  const int lane = ::lane(), warp = ::warp();
  for (int d = lane; d < DIGITS; d += 32) bins[warp][d] = 0;
  __syncwarp();
  for (int round = 0; round < SORT_ROUNDS; round++) {
    const int i = blockIdx.x * SORT_TILE + (warp * SORT_ROUNDS + round) * 32 + lane;
    if (i - lane >= p.n) break;
    const unsigned here = __ballot_sync(FULL, i < p.n);
    const unsigned digit = i < p.n ? sort_key(p, i) >> p.shift & (DIGITS - 1) : 0;
    const unsigned same = peers(here, digit);
    if (i < p.n && (same & ((1u << lane) - 1)) == 0) bins[warp][digit] += __popc(same);
    __syncwarp();
  }
}

KERNEL(sort_count, SortArguments, 256) {
  auto bins = shared_memory<int[DIGITS]>();                // [SORT_WARPS][DIGITS]
  sort_histogram(p, bins);
  __syncthreads();
  int n = 0;
  for (int w = 0; w < SORT_WARPS; w++) n += bins[w][threadIdx.x];
  p.counts[threadIdx.x * p.blocks + blockIdx.x] = n;
}

// counts → the sums of all before, in place; one block
struct ScanArguments { int* counts; int n; };
KERNEL(sort_scan, ScanArguments, 1024) {
  int* sums = shared_memory<int>();                        // [WARP]
  const int lane = ::lane(), warp = ::warp();
  int carry = 0;
  for (int at = 0; at < p.n; at += 1024) {
    const int i = at + threadIdx.x, mine = i < p.n ? p.counts[i] : 0;
    int x = mine;
    for (int o = 1; o < 32; o <<= 1) { const int y = __shfl_up_sync(FULL, x, o); if (lane >= o) x += y; }
    if (lane == 31) sums[warp] = x;
    __syncthreads();
    if (warp == 0) {
      int s = sums[lane];
      for (int o = 1; o < 32; o <<= 1) { const int y = __shfl_up_sync(FULL, s, o); if (lane >= o) s += y; }
      sums[lane] = s;
    }
    __syncthreads();
    if (i < p.n) p.counts[i] = carry + x - mine + (warp ? sums[warp - 1] : 0);
    carry += sums[31];
    __syncthreads();
  }
}

KERNEL(sort_place, SortArguments, 256) {
  auto bins = shared_memory<int[DIGITS]>();                // [SORT_WARPS][DIGITS]
  sort_histogram(p, bins);
  __syncthreads();
  int at = p.counts[threadIdx.x * p.blocks + blockIdx.x];
  for (int w = 0; w < SORT_WARPS; w++) { const int n = bins[w][threadIdx.x]; bins[w][threadIdx.x] = at; at += n; }
  __syncthreads();
  const int lane = ::lane(), warp = ::warp();
  for (int round = 0; round < SORT_ROUNDS; round++) {
    const int i = blockIdx.x * SORT_TILE + (warp * SORT_ROUNDS + round) * 32 + lane;
    if (i - lane >= p.n) break;
    const unsigned here = __ballot_sync(FULL, i < p.n);
    const unsigned key = i < p.n ? sort_key(p, i) : 0, digit = key >> p.shift & (DIGITS - 1);
    const unsigned same = peers(here, digit), before = same & ((1u << lane) - 1);
    if (i < p.n) {
      const int to = bins[warp][digit] + __popc(before);
      p.sorted[to] = key;
      p.rows[to] = p.from ? p.from[i] : i;
    }
    __syncwarp();
    if (i < p.n && before == 0) bins[warp][digit] += __popc(same);
    __syncwarp();
  }
}

// begin[k] = the first place of a key ≥ k, k = 0 … rows
struct SegmentsArguments { const int* sorted; int* begin; int n, rows; };
KERNEL(segment_begin, SegmentsArguments, 256) {
  const int k = blockIdx.x * blockDim.x + threadIdx.x;
  if (k > p.rows) return;
  int low = 0, high = p.n;
  while (low < high) {
    const int middle = (low + high) >> 1;
    if (p.sorted[middle] < k) low = middle + 1; else high = middle;
  }
  p.begin[k] = low;
}

// y [rows, width] from x [n, width]: a warp sums a segment, a lane V columns of it; segments longer than LONG are shared out to the 8 warps of the block
// and their 8 sums added in order.
struct SegmentSumArguments { const void* x; const int* begin; const int* from; void* y; int rows, width, pitch; };
constexpr int SUM_WARPS = 8, LONG = 64;

template <class T, int V> DEVICE void segment_sum(const SegmentSumArguments& p, float (*partial)[WARP * 4]) {
  const int lane = ::lane(), warp = ::warp(), column = (blockIdx.x * WARP + lane) * V, first = blockIdx.y * SUM_WARPS;
  auto sum = [&](float (&acc)[V], int at, int end, int step) {
    for (int v = 0; v < V; v++) acc[v] = 0;
    if (column < p.width)
      for (; at < end; at += step) {
        const auto x = *reinterpret_cast<const Pack<T, V>*>(static_cast<const T*>(p.x) + (long long)p.from[at] * p.pitch + column);
        for (int v = 0; v < V; v++) acc[v] += to_float(x.v[v]);
      }
  };
  auto store = [&](const float (&acc)[V], int row) {
    if (column >= p.width) return;
    Pack<T, V> y;
    for (int v = 0; v < V; v++) y.v[v] = from_float<T>(acc[v]);
    *reinterpret_cast<Pack<T, V>*>(static_cast<T*>(p.y) + (long long)row * p.width + column) = y;
  };
  float acc[V];
  const int mine = first + warp;
  if (mine < p.rows && p.begin[mine + 1] - p.begin[mine] <= LONG) {
    sum(acc, p.begin[mine], p.begin[mine + 1], 1);
    store(acc, mine);
  }
  for (int row = first; row < min(first + SUM_WARPS, p.rows); row++) {
    const int begin = p.begin[row], end = p.begin[row + 1];
    if (end - begin <= LONG) continue;
    sum(acc, begin + warp, end, SUM_WARPS);
    for (int v = 0; v < V; v++) partial[warp][v * 32 + lane] = acc[v];
    __syncthreads();
    if (warp == 0) {
      for (int w = 1; w < SUM_WARPS; w++) for (int v = 0; v < V; v++) acc[v] += partial[w][v * 32 + lane];
      store(acc, row);
    }
    __syncthreads();
  }
}
#define SEGMENT_SUM(name, T, V) KERNEL(name, SegmentSumArguments, 256) { segment_sum<T, V>(p, shared_memory<float[WARP * 4]>()); }
SEGMENT_SUM(segment_sum_f32x4, float, 4)
SEGMENT_SUM(segment_sum_f32, float, 1)
SEGMENT_SUM(segment_sum_bf16x4, bf16, 4)
SEGMENT_SUM(segment_sum_bf16, bf16, 1)

// ---- few rows: a warp makes 32·V columns of a row of y, of the rows of x that name it, in order
struct ScatterFewArguments { const void* x; const int* index; void* y; long long* bad; int n, rows, width, pitch; };

template <class T, int V> DEVICE void scatter_few(const ScatterFewArguments& p) {
  const int lane = ::lane(), row = blockIdx.y * SUM_WARPS + warp(), column = (blockIdx.x * WARP + lane) * V;
  if (row >= p.rows) return;
  float acc[V];
  UNROLL for (int v = 0; v < V; v++) acc[v] = 0;
  for (int at = 0; at < p.n; at += WARP) {
    const int i = at + lane, key = i < p.n ? checked(p.index[i], i, p.rows, p.bad) : -1;
    for (unsigned mine = __ballot_sync(FULL, key == row); mine; mine &= mine - 1) {
      if (column >= p.width) continue;
      const auto x = *reinterpret_cast<const Pack<T, V>*>(static_cast<const T*>(p.x) + static_cast<long long>(at + __ffs(mine) - 1) * p.pitch + column);
      UNROLL for (int v = 0; v < V; v++) acc[v] += to_float(x.v[v]);
    }
  }
  if (column >= p.width) return;
  Pack<T, V> y;
  UNROLL for (int v = 0; v < V; v++) y.v[v] = from_float<T>(acc[v]);
  *reinterpret_cast<Pack<T, V>*>(static_cast<T*>(p.y) + static_cast<long long>(row) * p.width + column) = y;
}
#define SCATTER_FEW(name, T, V) KERNEL(name, ScatterFewArguments, 256) { scatter_few<T, V>(p); }
SCATTER_FEW(scatter_few_f32x4, float, 4)
SCATTER_FEW(scatter_few_f32, float, 1)
SCATTER_FEW(scatter_few_bf16x4, bf16, 4)
SCATTER_FEW(scatter_few_bf16, bf16, 1)
