// The optimiser: all parameters in one launch. A table in device memory holds a row a tensor; a block takes CHUNK elements of one of them and finds which by
// bisection. Where a parameter is kept in BF16 too, that is written with it. Weight decay is a row's own, clipping and loss unscaling are the factor of the gradients.
//
//   AdamW, NAdamW   d = factor·g;  m += c₁·(d − m);  v = β₂·v + c₂·d²;  p = keep·p − (a·d + b·m)/(√v·root + ε)        (a = 0: AdamW)
//   descent         d = factor·g + decay·p;  m = momentum·m + d;  p −= rate·(along·m + ahead·d)
//   norm            √Σ g² over all tensors, block sums first, then those in order
#include "../include/pack.cuh"
#include "../include/warp.cuh"

struct Row {
  float *parameter, *first, *second;
  const float* gradient;
  bf16* half;                                            // gets the parameter too, or null
  long long size;
  int block;                                             // the first of this tensor's
  float decay;                                           // AdamW: keep = 1 − rate·decay
};

constexpr int CHUNK = 4096;

/// The table's row of this block: the last whose `block` is not past it.
DEVICE Row row_of(const Row* table, int rows) {
  int low = 0, high = rows;
  while (high - low > 1) { const int middle = (low + high) >> 1; if (table[middle].block <= static_cast<int>(blockIdx.x)) low = middle; else high = middle; }
  return table[low];
}

struct AdamWArguments { const Row* table; int rows; float beta2, c1, c2, a, b, root, epsilon, factor; };
KERNEL(adamw, AdamWArguments, 256) {
  const Row t = row_of(p.table, p.rows);
  const long long from = static_cast<long long>(blockIdx.x - t.block) * CHUNK;
  const int n = static_cast<int>(min(static_cast<long long>(CHUNK), t.size - from));
  auto one = [&](float& parameter, float& first, float& second, float gradient) {
    const float d = gradient * p.factor;
    first = fmaf(p.c1, d - first, first);
    second = second * p.beta2 + p.c2 * d * d;
    parameter = parameter * t.decay - fmaf(p.a, d, p.b * first) / (sqrtf(second) * p.root + p.epsilon);
  };
  float *P = t.parameter + from, *M = t.first + from, *V = t.second + from;
  const float* G = t.gradient + from;
  const int packs = aligned16(P) && aligned16(M) && aligned16(V) && aligned16(G) ? n / 4 : 0;
  for (int i = threadIdx.x; i < packs; i += blockDim.x) {
    auto x = reinterpret_cast<Pack<float, 4>*>(P)[i], m = reinterpret_cast<Pack<float, 4>*>(M)[i], v = reinterpret_cast<Pack<float, 4>*>(V)[i];
    const auto g = reinterpret_cast<const Pack<float, 4>*>(G)[i];
    for (int k = 0; k < 4; k++) one(x.v[k], m.v[k], v.v[k], g.v[k]);
    reinterpret_cast<Pack<float, 4>*>(P)[i] = x;
    reinterpret_cast<Pack<float, 4>*>(M)[i] = m;
    reinterpret_cast<Pack<float, 4>*>(V)[i] = v;
  }
  for (int i = packs * 4 + threadIdx.x; i < n; i += blockDim.x) one(P[i], M[i], V[i], G[i]);
  if (t.half == nullptr) return;                         // for all of the block
  __syncthreads();
  for (int i = threadIdx.x; i < n; i += blockDim.x) t.half[from + i] = from_float<bf16>(P[i]);
}

struct DescentArguments { const Row* table; int rows; float rate, momentum, along, ahead, factor; };
KERNEL(descent, DescentArguments, 256) {
  const Row t = row_of(p.table, p.rows);
  const long long from = static_cast<long long>(blockIdx.x - t.block) * CHUNK, to = min(t.size, from + CHUNK);
  for (long long i = from + threadIdx.x; i < to; i += blockDim.x) {
    const float d = t.gradient[i] * p.factor + t.decay * t.parameter[i];
    const float m = fmaf(p.momentum, t.first[i], d);
    t.first[i] = m;
    const float x = t.parameter[i] - p.rate * fmaf(p.along, m, p.ahead * d);
    t.parameter[i] = x;
    if (t.half) t.half[i] = from_float<bf16>(x);
  }
}

/// target = (1 − share)·target + share·scale·value
struct BlendArguments { float* target; const float* value; long long n; float keep, add; };
KERNEL(blend, BlendArguments, 256) {
  grid_stride(p.n, [&](long long i) { p.target[i] = p.keep * p.target[i] + p.add * p.value[i]; });
}

/// partial[block] = Σ g² of its chunk; then one block: √Σ partial, in order, in double
struct NormArguments { const Row* table; float* partial; float* norm; int rows, blocks; };
KERNEL(norm_pieces, NormArguments, 256) {
  const Row t = row_of(p.table, p.rows);
  const long long from = static_cast<long long>(blockIdx.x - t.block) * CHUNK, to = min(t.size, from + CHUNK);
  float s = 0;
  for (long long i = from + threadIdx.x; i < to; i += blockDim.x) s = fmaf(t.gradient[i], t.gradient[i], s);
  s = block_sum(s, shared_memory<float>());
  if (threadIdx.x == 0) p.partial[blockIdx.x] = s;
}

KERNEL(norm_total, NormArguments, 256) {
  double* sums = shared_memory<double>();                // [256]
  double s = 0;
  for (int i = threadIdx.x; i < p.blocks; i += 256) s += p.partial[i];
  sums[threadIdx.x] = s;
  __syncthreads();
  for (int o = 128; o; o >>= 1) {
    if (static_cast<int>(threadIdx.x) < o) sums[threadIdx.x] += sums[threadIdx.x + o];
    __syncthreads();
  }
  if (threadIdx.x == 0) *p.norm = static_cast<float>(sqrt(sums[0]));
}
