// How the SigLIP loss came to be: Σ_ij softplus(∓(scale·x_i·t_j + bias)), − where i = j; each block leaves a number. One idea a rung; what is shipped is
// contrastive.cu.
//
//   rung  idea                                            memory beside the features   time at n = 32,768 on a GPU
//   1     the matrix of all pairs, then its loss          4·n² bytes                   not measured on a GPU
//   2     a pair's loss at once, folded in the block      a number a block             not measured on a GPU
//   3     tiles of 32×32 pairs in shared memory           a number a block             not measured on a GPU
//   top   tensor cores, 128×128 pairs, slices in flight   a number a block             not measured on a GPU
#include "../include/pack.cuh"
#include "../include/warp.cuh"

struct LadderSigmoidArguments { const bf16 *x, *t; float *scores, *partial; int n, d; float scale, bias; };

DEVICE float pair_score(const LadderSigmoidArguments& p, int i, int j) {
  float sum = 0.f;
  for (int k = 0; k < p.d; k++) sum = fmaf(to_float(p.x[static_cast<long long>(i) * p.d + k]), to_float(p.t[static_cast<long long>(j) * p.d + k]), sum);
  return fmaf(sum, p.scale, p.bias);
}

DEVICE float pair_loss(float z, bool positive) {
  if (positive) z = -z;
  return fmaxf(z, 0.f) + log1pf(expf(-fabsf(z)));
}

DEVICE void leave(const LadderSigmoidArguments& p, float loss) {
  __syncthreads();
  loss = block_sum(loss, shared_memory<float>());
  if (threadIdx.x == 0) p.partial[blockIdx.y * gridDim.x + blockIdx.x] = loss;
}

KERNEL(ladder_sigmoid_1, LadderSigmoidArguments, 256) {
  const int i = blockIdx.y * 16 + threadIdx.x / 16, j = blockIdx.x * 16 + threadIdx.x % 16;
  if (i < p.n && j < p.n) p.scores[static_cast<long long>(i) * p.n + j] = pair_score(p, i, j);
}

KERNEL(ladder_sigmoid_1_loss, LadderSigmoidArguments, 256) {
  const int i = blockIdx.y * 16 + threadIdx.x / 16, j = blockIdx.x * 16 + threadIdx.x % 16;
  leave(p, i < p.n && j < p.n ? pair_loss(p.scores[static_cast<long long>(i) * p.n + j], i == j) : 0.f);
}

KERNEL(ladder_sigmoid_2, LadderSigmoidArguments, 256) {
  const int i = blockIdx.y * 16 + threadIdx.x / 16, j = blockIdx.x * 16 + threadIdx.x % 16;
  leave(p, i < p.n && j < p.n ? pair_loss(pair_score(p, i, j), i == j) : 0.f);
}

KERNEL(ladder_sigmoid_3, LadderSigmoidArguments, 1024) {
  constexpr int SIDE = 32, LD = SIDE + 1;
  float *x = shared_memory<float>(), *t = x + SIDE * LD;
  const int r = threadIdx.x / SIDE, c = threadIdx.x % SIDE, i = blockIdx.y * SIDE + r, j = blockIdx.x * SIDE + c, other = blockIdx.x * SIDE + r;
  float sum = 0.f;
  for (int k0 = 0; k0 < p.d; k0 += SIDE) {
    x[r * LD + c] = i < p.n && k0 + c < p.d ? to_float(p.x[static_cast<long long>(i) * p.d + k0 + c]) : 0.f;
    t[r * LD + c] = other < p.n && k0 + c < p.d ? to_float(p.t[static_cast<long long>(other) * p.d + k0 + c]) : 0.f;
    __syncthreads();
    for (int k = 0; k < SIDE; k++) sum = fmaf(x[r * LD + k], t[c * LD + k], sum);
    __syncthreads();
  }
  leave(p, i < p.n && j < p.n ? pair_loss(fmaf(sum, p.scale, p.bias), i == j) : 0.f);
}
