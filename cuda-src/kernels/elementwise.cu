// y[i] = f(x[i]), y = a ∘ b with broadcasting, copies between layouts, casts. A thread takes 16 bytes at a time where the addresses allow.
// All are bound by memory: one read of each input, one write.
#include "../include/activation.cuh"
#include "../include/pack.cuh"

// ---- One input

enum Unary { AFFINE, EXP, LOG, SQRT, SIGMOID, TANH, SOFTPLUS, CLAMP, ACTIVATE };   // CudaElementwise

struct UnaryArguments {
  const void* x;
  void* y;
  long long n;
  int op, activation;
  float a, b;                                            // scale and shift, or bounds
};

DEVICE float unary(const UnaryArguments& p, float x) {
  switch (p.op) {
    case AFFINE: return x * p.a + p.b;
    case EXP: return expf(x);
    case LOG: return logf(x);
    case SQRT: return sqrtf(x);
    case SIGMOID: return sigmoid(x);
    case TANH: return tanhf(x);
    case SOFTPLUS: return softplus(x);
    case CLAMP: return x < p.a ? p.a : x > p.b ? p.b : x;          // NaN stays NaN
    default: return activate(p.activation, x);
  }
}

/// y[i] = f(x[i]) for n elements.
template <class T, class F> DEVICE void map(const T* x, T* y, long long n, F f) {
  long long packs = aligned16(x) && aligned16(y) ? n / LANE_ELEMENTS<T> : 0;
  grid_stride(packs, [&](long long i) {
    auto v = reinterpret_cast<const Pack16<T>*>(x)[i];
    UNROLL for (int k = 0; k < LANE_ELEMENTS<T>; k++) v.v[k] = from_float<T>(f(to_float(v.v[k])));
    reinterpret_cast<Pack16<T>*>(y)[i] = v;
  });
  long long done = packs * LANE_ELEMENTS<T>;
  grid_stride(n - done, [&](long long i) { y[done + i] = from_float<T>(f(to_float(x[done + i]))); });
}

template <class T> DEVICE void unary_map(const UnaryArguments& p) {
  map(static_cast<const T*>(p.x), static_cast<T*>(p.y), p.n, [&](float x) { return unary(p, x); });
}
KERNEL(unary_f32, UnaryArguments, 256) { unary_map<float>(p); }
KERNEL(unary_bf16, UnaryArguments, 256) { unary_map<bf16>(p); }

// ---- Two inputs of one dense shape: z[i] = f(x[i], y[i])

template <class T, class F> DEVICE void map2(const T* x, const T* y, T* z, long long n, F f) {
  long long packs = aligned16(x) && aligned16(y) && aligned16(z) ? n / LANE_ELEMENTS<T> : 0;
  grid_stride(packs, [&](long long i) {
    auto v = reinterpret_cast<const Pack16<T>*>(x)[i], w = reinterpret_cast<const Pack16<T>*>(y)[i];
    UNROLL for (int k = 0; k < LANE_ELEMENTS<T>; k++) v.v[k] = from_float<T>(f(to_float(v.v[k]), to_float(w.v[k])));
    reinterpret_cast<Pack16<T>*>(z)[i] = v;
  });
  long long done = packs * LANE_ELEMENTS<T>;
  grid_stride(n - done, [&](long long i) { z[done + i] = from_float<T>(f(to_float(x[done + i]), to_float(y[done + i]))); });
}

/// dx = dy·f′(x)
struct ActivationBackwardArguments {
  const void *x, *dy;
  void* dx;
  long long n;
  int activation;
};
template <class T> DEVICE void activation_backward(const ActivationBackwardArguments& p) {
  map2(static_cast<const T*>(p.x), static_cast<const T*>(p.dy), static_cast<T*>(p.dx), p.n, [&](float x, float dy) { return dy * activation_slope(p.activation, x); });
}
KERNEL(activation_backward_f32, ActivationBackwardArguments, 256) { activation_backward<float>(p); }
KERNEL(activation_backward_bf16, ActivationBackwardArguments, 256) { activation_backward<bf16>(p); }

// ---- Two inputs that broadcast: their strides over the result's axes, 0 along a repeated one; axes are merged where all strides allow

constexpr int AXES = 6;
enum Binary { ADD, SUBTRACT, MULTIPLY, DIVIDE, EQUAL };

struct BinaryArguments {
  const void *a, *b;
  void* y;
  long long n;
  int op, rank;                                          // rank 0, both are dense and of one shape: binary_…; otherwise broadcast_…
  Array<int, AXES> dims, as, bs;
};

DEVICE float binary(int op, float a, float b) {
  switch (op) {
    case ADD: return a + b;
    case SUBTRACT: return a - b;
    case MULTIPLY: return a * b;
    case DIVIDE: return a / b;
    default: return a == b;
  }
}

template <class T> DEVICE void binary_map(const BinaryArguments& p) {
  map2(static_cast<const T*>(p.a), static_cast<const T*>(p.b), static_cast<T*>(p.y), p.n, [&](float u, float v) { return binary(p.op, u, v); });
}
KERNEL(binary_f32, BinaryArguments, 256) { binary_map<float>(p); }
KERNEL(binary_bf16, BinaryArguments, 256) { binary_map<bf16>(p); }

template <class T> DEVICE void broadcast_map(const BinaryArguments& p) {
  auto a = static_cast<const T*>(p.a), b = static_cast<const T*>(p.b);
  auto y = static_cast<T*>(p.y);
  grid_stride(p.n, [&](long long i) {
    int rest = static_cast<int>(i);
    long long at = 0, bt = 0;
    UNROLL for (int d = AXES - 1; d >= 0; d--)
      if (d < p.rank) {
        int q = rest % p.dims[d];
        rest /= p.dims[d];
        at += static_cast<long long>(q) * p.as[d];
        bt += static_cast<long long>(q) * p.bs[d];
      }
    y[i] = from_float<T>(binary(p.op, to_float(a[at]), to_float(b[bt])));
  });
}
KERNEL(broadcast_f32, BinaryArguments, 256) { broadcast_map<float>(p); }
KERNEL(broadcast_bf16, BinaryArguments, 256) { broadcast_map<bf16>(p); }

// ---- Copies between layouts of one shape, for elements of 1, 2, 4 and 8 bytes

struct CopyArguments {
  const void* x;
  void* y;
  long long n;
  int rank;
  Array<int, AXES> dims, xs, ys;
};
template <class T> DEVICE void copy(const CopyArguments& p) {
  grid_stride(p.n, [&](long long i) {
    int rest = static_cast<int>(i);
    long long xt = 0, yt = 0;
    UNROLL for (int d = AXES - 1; d >= 0; d--)
      if (d < p.rank) {
        int q = rest % p.dims[d];
        rest /= p.dims[d];
        xt += static_cast<long long>(q) * p.xs[d];
        yt += static_cast<long long>(q) * p.ys[d];
      }
    static_cast<T*>(p.y)[yt] = static_cast<const T*>(p.x)[xt];
  });
}
KERNEL(copy_1, CopyArguments, 256) { copy<uint8_t>(p); }
KERNEL(copy_2, CopyArguments, 256) { copy<uint16_t>(p); }
KERNEL(copy_4, CopyArguments, 256) { copy<uint32_t>(p); }
KERNEL(copy_8, CopyArguments, 256) { copy<uint64_t>(p); }

struct FillArguments {
  float* y;
  long long n;
  float value;
};
KERNEL(fill_f32, FillArguments, 256) { grid_stride(p.n, [&](long long i) { p.y[i] = p.value; }); }

// ---- Casts: between integers exactly, else through float; the numbers are the ordinals of jacquard.tensor.DType

enum Type { F32, BF16, F16, I32, I64, U8, BOOL };

struct CastArguments {
  const void* x;
  void* y;
  long long n;
  int from, to;
};

DEVICE float load_any(int type, const void* x, long long i) {
  switch (type) {
    case F32: return static_cast<const float*>(x)[i];
    case BF16: return to_float(static_cast<const bf16*>(x)[i]);
    case F16: return to_float(static_cast<const half16*>(x)[i]);
    case I32: return static_cast<float>(static_cast<const int*>(x)[i]);
    case I64: return static_cast<float>(static_cast<const long long*>(x)[i]);
    default: return static_cast<float>(static_cast<const uint8_t*>(x)[i]);
  }
}

/// As Java converts: towards zero, NaN to 0, what is too large to the largest.
DEVICE long long to_integer(float v, float limit, long long most) {
  if (!(v == v)) return 0;
  return v >= limit ? most : v < -limit ? -most - 1 : static_cast<long long>(v);
}

DEVICE void store_any(int type, void* y, long long i, float v) {
  switch (type) {
    case F32: static_cast<float*>(y)[i] = v; break;
    case BF16: static_cast<bf16*>(y)[i] = from_float<bf16>(v); break;
    case F16: static_cast<half16*>(y)[i] = from_float<half16>(v); break;
    case I32: static_cast<int*>(y)[i] = static_cast<int>(to_integer(v, 2147483648.f, 2147483647ll)); break;
    case I64: static_cast<long long*>(y)[i] = to_integer(v, 9223372036854775808.f, 9223372036854775807ll); break;
    case U8: static_cast<uint8_t*>(y)[i] = static_cast<uint8_t>(to_integer(v, 2147483648.f, 2147483647ll)); break;
    default: static_cast<uint8_t*>(y)[i] = v != 0.f;
  }
}

DEVICE long long load_integer(int type, const void* x, long long i) {
  return type == I32 ? static_cast<const int*>(x)[i] : type == I64 ? static_cast<const long long*>(x)[i] : static_cast<const uint8_t*>(x)[i];
}

DEVICE void store_integer(int type, void* y, long long i, long long v) {
  switch (type) {
    case I32: static_cast<int*>(y)[i] = static_cast<int>(v); break;
    case I64: static_cast<long long*>(y)[i] = v; break;
    case U8: static_cast<uint8_t*>(y)[i] = static_cast<uint8_t>(v); break;
    default: static_cast<uint8_t*>(y)[i] = v != 0;
  }
}

KERNEL(cast, CastArguments, 256) {
  grid_stride(p.n, [&](long long i) {
    if (p.from >= I32 && p.to >= I32) store_integer(p.to, p.y, i, load_integer(p.from, p.x, i));
    else store_any(p.to, p.y, i, load_any(p.from, p.x, i));
  });
}

/// The casts of mixed precision, 16 bytes of BF16 at a time.
KERNEL(cast_f32_bf16, CastArguments, 256) {
  auto x = static_cast<const float*>(p.x);
  auto y = static_cast<bf16*>(p.y);
  long long packs = aligned16(x) && aligned16(y) ? p.n / 8 : 0;
  grid_stride(packs, [&](long long i) {
    float4 u = reinterpret_cast<const float4*>(x)[2 * i], v = reinterpret_cast<const float4*>(x)[2 * i + 1];
    reinterpret_cast<uint4*>(y)[i] = make_uint4(pack_bf16(u.x, u.y), pack_bf16(u.z, u.w), pack_bf16(v.x, v.y), pack_bf16(v.z, v.w));
  });
  grid_stride(p.n - packs * 8, [&](long long i) { y[packs * 8 + i] = from_float<bf16>(x[packs * 8 + i]); });
}
KERNEL(cast_bf16_f32, CastArguments, 256) {
  auto x = static_cast<const bf16*>(p.x);
  auto y = static_cast<float*>(p.y);
  long long packs = aligned16(x) && aligned16(y) ? p.n / 4 : 0;
  grid_stride(packs, [&](long long i) {
    auto v = reinterpret_cast<const Pack<bf16, 4>*>(x)[i];
    reinterpret_cast<float4*>(y)[i] = make_float4(to_float(v.v[0]), to_float(v.v[1]), to_float(v.v[2]), to_float(v.v[3]));
  });
  grid_stride(p.n - packs * 4, [&](long long i) { y[packs * 4 + i] = to_float(x[packs * 4 + i]); });
}
