// What a kernel sees of the emulation when g++ compiles it: CUDA's built-in names, and calls into the execution model (execution.cpp) wherever
// threads of a block meet.
#pragma once
#include <algorithm>
#include <cstring>
#include "kernel.h"
#include "layout.h"

#define DEVICE inline __attribute__((always_inline))
#define UNROLL
using std::max;
using std::min;

using emulation::dim3;
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
DEVICE float2 make_float2(float x, float y) { return {x, y}; }
DEVICE float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
DEVICE uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
DEVICE uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

namespace emulation {

/// Set before a thread runs. Each executor has a copy of this library of its own, and so a variable of its own.
__attribute__((visibility("hidden"))) inline Thread* self;

constexpr unsigned first(unsigned threads, unsigned = 0) { return threads; }

extern "C" {
void emulation_barrier(Thread*);
void emulation_yield(Thread*);
void emulation_together(Thread*, unsigned mask, Together, void* in, void* out);
void emulation_copy_async(Thread*, void* to, const void* from, int bytes, int valid);
void emulation_copy_commit(Thread*);
void emulation_copy_wait(Thread*, int groups);
}
}

#define threadIdx (emulation::self->threadIdx)
#define blockIdx (emulation::self->blockIdx)
#define blockDim (emulation::self->blockDim)
#define gridDim (emulation::self->gridDim)

#define KERNEL(name, Arguments, ...) \
  static void name(const Arguments& p); \
  extern "C" __attribute__((visibility("default"))) const emulation::Entry kernel_##name; \
  const emulation::Entry kernel_##name = {#name, sizeof(Arguments), emulation::layout<Arguments>.letters, emulation::layout<Arguments>.row, emulation::first(__VA_ARGS__), \
      [](const void* p) { name(*static_cast<const Arguments*>(p)); }, &emulation::self}; \
  static void name([[maybe_unused]] const Arguments& p)

template <class T> DEVICE T* shared_memory() { return static_cast<T*>(emulation::self->shared); }

DEVICE void __syncthreads() { emulation::emulation_barrier(emulation::self); }
DEVICE void __syncwarp(unsigned mask = 0xffffffffu) {
  emulation::emulation_together(emulation::self, mask, [](unsigned, void* const*, void* const*) {}, nullptr, nullptr);
}
DEVICE void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
DEVICE void __threadfence_system() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

namespace emulation {
template <class T> struct Sent { T value; int source; };

/// Lane l gets the value of the lane it names; one that is not in the mask gives the lane's own.
template <class T> DEVICE T shuffle(unsigned mask, T value, int source) {
  T result;
  Sent<T> sent{value, source};
  emulation_together(self, mask, [](unsigned mask, void* const in[32], void* const out[32]) {
    for (int l = 0; l < 32; l++)
      if (mask >> l & 1) {
        int s = static_cast<Sent<T>*>(in[l])->source;
        *static_cast<T*>(out[l]) = static_cast<Sent<T>*>(in[s >= 0 && s < 32 && (mask >> s & 1) ? s : l])->value;
      }
  }, &sent, &result);
  return result;
}
}
template <class T> DEVICE T __shfl_xor_sync(unsigned mask, T v, int x) { return emulation::shuffle(mask, v, static_cast<int>(emulation::self->lane ^ x)); }
template <class T> DEVICE T __shfl_sync(unsigned mask, T v, int source) { return emulation::shuffle(mask, v, source & 31); }
template <class T> DEVICE T __shfl_down_sync(unsigned mask, T v, unsigned d) { return emulation::shuffle(mask, v, static_cast<int>(emulation::self->lane + d)); }
template <class T> DEVICE T __shfl_up_sync(unsigned mask, T v, unsigned d) { return emulation::shuffle(mask, v, static_cast<int>(emulation::self->lane) - static_cast<int>(d)); }
DEVICE unsigned __ballot_sync(unsigned mask, int predicate) {
  unsigned result;
  emulation::emulation_together(emulation::self, mask, [](unsigned mask, void* const in[32], void* const out[32]) {
    unsigned b = 0;
    for (int l = 0; l < 32; l++) if ((mask >> l & 1) && *static_cast<int*>(in[l])) b |= 1u << l;
    for (int l = 0; l < 32; l++) if (mask >> l & 1) *static_cast<unsigned*>(out[l]) = b;
  }, &predicate, &result);
  return result;
}

DEVICE float rsqrtf(float x) { return 1.f / sqrtf(x); }
DEVICE float __uint_as_float(unsigned x) { float f; memcpy(&f, &x, 4); return f; }
DEVICE unsigned __float_as_uint(float x) { unsigned u; memcpy(&u, &x, 4); return u; }
DEVICE int __popc(unsigned x) { return __builtin_popcount(x); }
DEVICE int __ffs(unsigned x) { return __builtin_ffs(static_cast<int>(x)); }
DEVICE unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(static_cast<uint64_t>(a) * b >> 32); }

DEVICE float bf16_to_float(uint16_t bits) { return __uint_as_float(static_cast<unsigned>(bits) << 16); }
DEVICE uint16_t float_to_bf16(float x) {                 // to nearest, ties to even; NaN stays NaN
  unsigned b = __float_as_uint(x);
  if ((b & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
  return static_cast<uint16_t>((b + 0x7fff + (b >> 16 & 1)) >> 16);
}
DEVICE float half_to_float(uint16_t bits) { _Float16 h; memcpy(&h, &bits, 2); return static_cast<float>(h); }
DEVICE uint16_t float_to_half(float x) { _Float16 h = static_cast<_Float16>(x); uint16_t bits; memcpy(&bits, &h, 2); return bits; }

#include "tile.h"
