// Pointwise nonlinearities and their slopes; the numbers are the ordinals of jacquard.tensor.op.Activation, where the formulas stand.
#pragma once
#include "platform.cuh"

enum Activation { NONE, RELU, GELU, GELU_TANH, QUICK_GELU, SILU };

constexpr float HALF_ROOT = 0.70710678f, DENSITY = 0.39894228f, TANH_A = 0.79788456f, TANH_B = 0.044715f, QUICK = 1.702f;

DEVICE float sigmoid(float x) { return 1.f / (1.f + expf(-x)); }
/// log(1 + eˣ) without overflow.
DEVICE float softplus(float x) { return fmaxf(x, 0.f) + log1pf(expf(-fabsf(x))); }

DEVICE float activate(int f, float x) {
  switch (f) {
    case RELU: return x < 0.f ? 0.f : x;
    case GELU: return 0.5f * x * (1.f + erff(x * HALF_ROOT));
    case GELU_TANH: return 0.5f * x * (1.f + tanhf(TANH_A * x * (1.f + TANH_B * x * x)));
    case QUICK_GELU: return x * sigmoid(QUICK * x);
    case SILU: return x * sigmoid(x);
    default: return x;
  }
}

DEVICE float activation_slope(int f, float x) {
  switch (f) {
    case RELU: return x > 0.f ? 1.f : 0.f;
    case GELU: return 0.5f * (1.f + erff(x * HALF_ROOT)) + x * DENSITY * expf(-0.5f * x * x);
    case GELU_TANH: {
      float t = tanhf(TANH_A * x * (1.f + TANH_B * x * x));
      return 0.5f * (1.f + t) + 0.5f * x * (1.f - t * t) * TANH_A * (1.f + 3.f * TANH_B * x * x);
    }
    case QUICK_GELU: { float s = sigmoid(QUICK * x); return s + QUICK * x * s * (1.f - s); }
    case SILU: { float s = sigmoid(x); return s + x * s * (1.f - s); }
    default: return 1.f;
  }
}
