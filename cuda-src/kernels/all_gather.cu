// Collectives over peer memory: every rank's memory is readable and writable by every other (NVLink or PCIe peer access).
//
//   all_gather       y on every rank = x₀ x₁ … of all ranks, in the order of ranks: a rank pushes its x into all y
//   reduce_scatter   y on rank r = Σ over ranks of their part r, added in the order of ranks: a rank pulls the parts
//   all_reduce       y = factor·Σ x, of any number of tensors: a rank pulls and adds its share and pushes it into all y; x = y is allowed
//
// One flag a rank and block, in the memory of the rank that waits for it: the rank raises its own on all others when it enters (its memory is ready) and when it
// leaves (what it read is free, what it wrote is there). Flags only grow, two steps a call, so that none is ever reset and a rank may run ahead by a call.
// Every wait reads the abort word in pinned host memory: a rank that fails sets it, and the others leave. Sums have one order: the same bits on all ranks.
#include "../include/pack.cuh"

constexpr int RANKS = 16;

struct PeersArguments {
  Array<const void*, RANKS> x;
  Array<void*, RANKS> y;
  Array<unsigned*, RANKS> flags;                         // of rank r: [RANKS, blocks]
  const unsigned* abort;
  long long from, n;                                     // this rank's part of the whole, in accesses
  int rank, world, blocks;
  unsigned step;
};

/// Raises this block's flag on all ranks and waits for theirs. False: given up. left [RANKS]
template <class P> DEVICE bool meet(const P& p, unsigned step, unsigned* left) {
  __threadfence_system();
  __syncthreads();
  if (static_cast<int>(threadIdx.x) < p.world) {
    store_release(p.flags[threadIdx.x] + p.rank * p.blocks + blockIdx.x, step);
    const unsigned* flag = p.flags[p.rank] + threadIdx.x * p.blocks + blockIdx.x;
    unsigned abort = 0;
    while (static_cast<int>(load_acquire(flag) - step) < 0 && (abort = load_acquire(p.abort)) == 0) {}
    left[threadIdx.x] = abort;
  }
  __syncthreads();
  unsigned aborted = 0;
  for (int r = 0; r < p.world; r++) aborted |= left[r];
  __syncthreads();
  return aborted == 0;
}

template <class U> DEVICE void all_gather(const PeersArguments& p, unsigned* left) {
  if (!meet(p, p.step, left)) return;
  grid_stride(p.n, [&](long long i) {
    const U v = static_cast<const U*>(p.x[p.rank])[i];
    for (int r = 0; r < p.world; r++) {
      const int to = p.rank + r < p.world ? p.rank + r : p.rank + r - p.world;               // spread over the links
      static_cast<U*>(p.y[to])[p.from + i] = v;
    }
  });
  meet(p, p.step + 1, left);
}

/// Σ over ranks of the access at `at`, in the order of ranks
template <class T, int V> DEVICE Pack<T, V> summed(const void* const* x, int world, long long at, float factor) {
  float acc[V] = {};
  for (int r = 0; r < world; r++) {
    const auto t = static_cast<const Pack<T, V>*>(x[r])[at];
    for (int v = 0; v < V; v++) acc[v] += to_float(t.v[v]);
  }
  Pack<T, V> y;
  for (int v = 0; v < V; v++) y.v[v] = from_float<T>(acc[v] * factor);
  return y;
}

template <class T, int V> DEVICE void reduce_scatter(const PeersArguments& p, unsigned* left) {
  if (!meet(p, p.step, left)) return;
  grid_stride(p.n, [&](long long i) { static_cast<Pack<T, V>*>(p.y[p.rank])[i] = summed<T, V>(p.x.v, p.world, p.from + i, 1); });
  meet(p, p.step + 1, left);
}

// Any number of tensors: a table in this rank's memory has a row for each. They are cut into chunks; chunk c belongs to rank c mod world.
constexpr int REDUCE_CHUNK = 4096;
struct Reduced {
  const void* x[RANKS];
  void* y[RANKS];
  long long n;
  int chunk;                                             // the number of this tensor's first
  int aligned;                                           // to 4 elements, on all ranks
};
struct AllReduceArguments {
  Array<unsigned*, RANKS> flags;
  const unsigned* abort;
  const Reduced* table;
  int rank, world, blocks;
  unsigned step;
  int rows, chunks;
  float factor;
};

template <class T, int V> DEVICE void reduce_stretch(const Reduced& t, const AllReduceArguments& p, long long from, long long to) {
  for (long long i = from + threadIdx.x; i < to; i += blockDim.x) {
    const auto v = summed<T, V>(t.x, p.world, i, p.factor);
    for (int r = 0; r < p.world; r++) {
      const int at = p.rank + r < p.world ? p.rank + r : p.rank + r - p.world;
      static_cast<Pack<T, V>*>(t.y[at])[i] = v;
    }
  }
}

template <class T> DEVICE void all_reduce(const AllReduceArguments& p, unsigned* left) {
  if (!meet(p, p.step, left)) return;
  for (int chunk = p.rank + p.world * blockIdx.x; chunk < p.chunks; chunk += p.world * gridDim.x) {
    int low = 0, high = p.rows;
    while (high - low > 1) { const int middle = (low + high) >> 1; if (p.table[middle].chunk <= chunk) low = middle; else high = middle; }
    const Reduced& t = p.table[low];
    const long long from = static_cast<long long>(chunk - t.chunk) * REDUCE_CHUNK, to = min(t.n, from + REDUCE_CHUNK), packed = t.aligned ? to / 4 : from / 4;
    reduce_stretch<T, 4>(t, p, from / 4, packed);
    reduce_stretch<T, 1>(t, p, packed * 4, to);
  }
  meet(p, p.step + 1, left);
}

#define COLLECTIVE(name, body) KERNEL(name, PeersArguments, 512, 1) { body(p, shared_memory<unsigned>()); }
COLLECTIVE(all_gather_16, all_gather<uint4>)
COLLECTIVE(all_gather_4, all_gather<unsigned>)
COLLECTIVE(all_gather_2, all_gather<uint16_t>)
COLLECTIVE(all_gather_1, all_gather<uint8_t>)
COLLECTIVE(reduce_scatter_f32x4, (reduce_scatter<float, 4>))
COLLECTIVE(reduce_scatter_f32, (reduce_scatter<float, 1>))
COLLECTIVE(reduce_scatter_bf16x4, (reduce_scatter<bf16, 4>))
COLLECTIVE(reduce_scatter_bf16, (reduce_scatter<bf16, 1>))
#define ALL_REDUCE(name, T) KERNEL(name, AllReduceArguments, 512, 1) { all_reduce<T>(p, shared_memory<unsigned>()); }
ALL_REDUCE(all_reduce_f32, float)
ALL_REDUCE(all_reduce_bf16, bf16)
