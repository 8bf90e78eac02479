// Kernels with a fault each, on purpose: tests show that the emulation finds it. Not built for the GPU.
#include "../include/pack.cuh"
#include "../include/warp.cuh"

struct FaultArguments {
  const float* x;
  float* y;
  int n;
};

/// y[block] = the sum of the block's stretch of x; the barrier between writing the warps' sums and reading them is forgotten.
KERNEL(fault_missing_barrier, FaultArguments, 256) {
  float* scratch = shared_memory<float>();
  float s = warp_sum(p.x[blockIdx.x * blockDim.x + threadIdx.x]);
  if (lane() == 0) scratch[warp()] = s;
  if (threadIdx.x == 0) {
    float sum = 0.f;
    for (int w = 0; w < static_cast<int>(blockDim.x / WARP); w++) sum += scratch[w];
    p.y[blockIdx.x] = sum;
  }
}

/// The bound is checked one too late.
KERNEL(fault_out_of_bounds, FaultArguments, 64) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i <= p.n) p.y[i] = p.x[min(i, p.n - 1)];
}

/// Half of a warp waits for the block, the other half for its warp.
KERNEL(fault_divergent_barrier, FaultArguments, 64) {
  if (threadIdx.x & 1) __syncthreads();
  else __syncwarp();
  p.y[threadIdx.x] = 1.f;
}

/// A word past the shared memory that was asked for.
KERNEL(fault_shared_bounds, FaultArguments, 64) {
  shared_memory<float>()[threadIdx.x] = p.x[threadIdx.x];
  __syncthreads();
  p.y[threadIdx.x] = shared_memory<float>()[63 - threadIdx.x];
}

/// Reads what nobody has written.
KERNEL(fault_uninitialised, FaultArguments, 64) {
  __syncthreads();
  p.y[threadIdx.x] = shared_memory<float>()[threadIdx.x];
}

/// Element n of an array of four, on the stack: within a thread's own memory, where the emulation's checks let everything pass.
KERNEL(fault_local_bounds, FaultArguments, 64) {
  float local[4] = {0.f, 1.f, 2.f, 3.f}, *volatile at = local;
  at[p.n] = p.x[threadIdx.x];
  p.y[threadIdx.x] = local[threadIdx.x % 4];
}

/// A shift by n, which C++ leaves undefined from 32 on.
KERNEL(fault_shift, FaultArguments, 64) { p.y[threadIdx.x] = static_cast<float>(1 << p.n); }
