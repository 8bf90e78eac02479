// What differs between the GPU and the emulation, and nothing else: this file holds the project's one #ifdef.
//
// A kernel is written   KERNEL(name, Arguments, threads[, blocks per multiprocessor]) { … p.field … }
// It takes ONE plain struct by value, named p. Fields are pointers, int, unsigned, long long, float and Array<T, N>: what Java packs, in this order.
#pragma once
#include <cstdint>
#include <cstddef>
#include <cmath>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#define DEVICE __device__ __forceinline__
#define UNROLL _Pragma("unroll")
#define KERNEL(name, Arguments, ...) extern "C" __global__ void __launch_bounds__(__VA_ARGS__) name(const __grid_constant__ Arguments p)

/// The launch's dynamic shared memory. There is no other kind here.
template <class T> DEVICE T* shared_memory() {
  extern __shared__ __align__(128) unsigned char shared_bytes[];
  return reinterpret_cast<T*>(shared_bytes);
}

DEVICE float bf16_to_float(uint16_t bits) { return __uint_as_float(static_cast<unsigned>(bits) << 16); }
DEVICE uint16_t float_to_bf16(float x) { return __bfloat16_as_ushort(__float2bfloat16_rn(x)); }
DEVICE float half_to_float(uint16_t bits) { return __half2float(__ushort_as_half(bits)); }
DEVICE uint16_t float_to_half(float x) { return __half_as_ushort(__float2half_rn(x)); }
#include "tile.cuh"
#else
#include "../host/emulation.h"
#endif

constexpr unsigned FULL = 0xffffffffu;                   // all lanes of a warp
constexpr int WARP = 32;

/// An array in an argument struct.
template <class T, int N> struct Array {
  T v[N];
  DEVICE T operator[](int i) const { return v[i]; }
};

DEVICE constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }
