// log Σ exp xᵢ in one pass (Milakov and Gimelshein 2018): a running maximum m and the sum s = Σ exp(xᵢ − m).
#pragma once
#include "platform.cuh"

struct OnlineSoftmax {
  float m = -INFINITY, s = 0.f;

  DEVICE void add(float x) {
    if (x > m) {
      s = s * expf(m - x) + 1.f;
      m = x;
    } else if (x > -INFINITY) s += expf(x - m);
  }

  /// Joins two stretches; either may be empty.
  DEVICE void join(float m2, float s2) {
    if (s2 == 0.f) return;
    float top = fmaxf(m, m2);
    s = (s == 0.f ? 0.f : s * expf(m - top)) + s2 * expf(m2 - top);
    m = top;
  }

  DEVICE float log_sum() const { return s == 0.f ? -INFINITY : m + logf(s); }
};
