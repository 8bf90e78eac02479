// Element types, and packs of them that move as one access of 16 bytes.
#pragma once
#include "platform.cuh"

struct bf16 { uint16_t bits; };
struct half16 { uint16_t bits; };

DEVICE float to_float(float x) { return x; }
DEVICE float to_float(bf16 x) { return bf16_to_float(x.bits); }
DEVICE float to_float(half16 x) { return half_to_float(x.bits); }

template <class T> DEVICE T from_float(float x);
template <> DEVICE float from_float<float>(float x) { return x; }
template <> DEVICE bf16 from_float<bf16>(float x) { return bf16{float_to_bf16(x)}; }
template <> DEVICE half16 from_float<half16>(float x) { return half16{float_to_half(x)}; }

/// N elements that are loaded and stored at once; the address is a multiple of the pack's size.
template <class T, int N> struct alignas(sizeof(T) * N) Pack {
  T v[N];
};

/// As many elements as 16 bytes hold.
template <class T> constexpr int LANE_ELEMENTS = 16 / sizeof(T);
template <class T> using Pack16 = Pack<T, LANE_ELEMENTS<T>>;

DEVICE bool aligned16(const void* p) { return (reinterpret_cast<uintptr_t>(p) & 15) == 0; }

/// Calls f(i) for this thread's share of n elements, all threads of the grid striding over them.
template <class F> DEVICE void grid_stride(long long n, F f) {
  for (long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += static_cast<long long>(gridDim.x) * blockDim.x) f(i);
}
