// Folds over the lanes of a warp and the warps of a block, always in the same order: the same bits in every run.
#pragma once
#include "platform.cuh"

DEVICE int lane() { return threadIdx.x & (WARP - 1); }
DEVICE int warp() { return threadIdx.x / WARP; }

/// The first of the two rows, 8 apart, of a 16-row fragment that this lane holds; the first of its two neighbouring columns of C (tile.cuh).
DEVICE int fragment_row() { return lane() / 4; }
DEVICE int fragment_column() { return lane() % 4 * 2; }

/// Every lane gets the sum of all: a butterfly, whose order is the same in each lane.
DEVICE float warp_sum(float x) {
  for (int o = WARP / 2; o > 0; o /= 2) x += __shfl_xor_sync(FULL, x, o);
  return x;
}

DEVICE float warp_max(float x) {
  for (int o = WARP / 2; o > 0; o /= 2) x = fmaxf(x, __shfl_xor_sync(FULL, x, o));
  return x;
}

/// Folds one value a thread over the block; every thread gets the result. `scratch` holds 32 floats of shared memory and may be used again after a barrier.
template <class Fold> DEVICE float block_fold(float x, float neutral, float* scratch, Fold fold) {
  for (int o = WARP / 2; o > 0; o /= 2) x = fold(x, __shfl_xor_sync(FULL, x, o));
  if (lane() == 0) scratch[warp()] = x;
  __syncthreads();
  x = lane() < static_cast<int>(blockDim.x / WARP) ? scratch[lane()] : neutral;
  for (int o = WARP / 2; o > 0; o /= 2) x = fold(x, __shfl_xor_sync(FULL, x, o));
  return x;
}

DEVICE float block_sum(float x, float* scratch) { return block_fold(x, 0.f, scratch, [](float a, float b) { return a + b; }); }
DEVICE float block_max(float x, float* scratch) { return block_fold(x, -INFINITY, scratch, [](float a, float b) { return fmaxf(a, b); }); }
