// Elements of F32 and BF16 as the stand-ins for vendors' libraries read and write them.
#pragma once
#include <cstdint>
#include <cstring>

inline float load(const void* p, long i, bool half) {
  if (!half) return static_cast<const float*>(p)[i];
  uint32_t bits = static_cast<uint32_t>(static_cast<const uint16_t*>(p)[i]) << 16;
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

/// To nearest, ties to even.
inline void store(void* p, long i, bool half, float f) {
  if (!half) { static_cast<float*>(p)[i] = f; return; }
  uint32_t bits;
  memcpy(&bits, &f, 4);
  static_cast<uint16_t*>(p)[i] = f != f ? 0x7fff : static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
