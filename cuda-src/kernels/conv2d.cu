// Convolution over rows of pixels (NHWC) as im2col and a matrix product, and average pooling.
//
//   forward          cols[p, ky, kx, c] = x[b, oy·s + ky − top, ox·s + kx − left, c];  y = cols · Wᵀ + bias
//   input gradient   dcols = dy · W;  dx[b, iy, ix, c] = Σ over the windows (ky, kx) that read the pixel, in order
//   weight gradient  dW = dyᵀ · cols
#include "../include/pack.cuh"

struct WindowsArguments {
  const void* from;
  void* to;
  long long n;                                           // accesses of `to`
  int height, width, channels, toHeight, toWidth, kernelHeight, kernelWidth, stride, top, left;             // channels in accesses
};

template <class U> DEVICE void im2col(const WindowsArguments& p) {
  grid_stride(p.n, [&](long long i) {
    const int c = static_cast<int>(i % p.channels);
    long long t = i / p.channels;
    const int kx = static_cast<int>(t % p.kernelWidth); t /= p.kernelWidth;
    const int ky = static_cast<int>(t % p.kernelHeight); t /= p.kernelHeight;
    const int ox = static_cast<int>(t % p.toWidth); t /= p.toWidth;
    const int oy = static_cast<int>(t % p.toHeight); t /= p.toHeight;                 // t: the image
    const int y = oy * p.stride + ky - p.top, x = ox * p.stride + kx - p.left;
    const bool inside = y >= 0 && y < p.height && x >= 0 && x < p.width;
    static_cast<U*>(p.to)[i] = inside ? static_cast<const U*>(p.from)[((t * p.height + y) * p.width + x) * p.channels + c] : U{};
  });
}
KERNEL(im2col_16, WindowsArguments, 256) { im2col<uint4>(p); }
KERNEL(im2col_4, WindowsArguments, 256) { im2col<unsigned>(p); }
KERNEL(im2col_2, WindowsArguments, 256) { im2col<uint16_t>(p); }

template <class T, int V> DEVICE void col2im(const WindowsArguments& p) {
  grid_stride(p.n, [&](long long i) {
    const int c = static_cast<int>(i % p.channels);
    long long t = i / p.channels;
    const int ix = static_cast<int>(t % p.width); t /= p.width;
    const int iy = static_cast<int>(t % p.height); t /= p.height;
    float acc[V] = {};
    for (int ky = 0; ky < p.kernelHeight; ky++) {
      const int y = iy + p.top - ky;
      if (y < 0 || y % p.stride || y / p.stride >= p.toHeight) continue;
      for (int kx = 0; kx < p.kernelWidth; kx++) {
        const int x = ix + p.left - kx;
        if (x < 0 || x % p.stride || x / p.stride >= p.toWidth) continue;
        const long long pixel = (t * p.toHeight + y / p.stride) * p.toWidth + x / p.stride;
        const auto d = static_cast<const Pack<T, V>*>(p.from)[((pixel * p.kernelHeight + ky) * p.kernelWidth + kx) * p.channels + c];
        for (int v = 0; v < V; v++) acc[v] += to_float(d.v[v]);
      }
    }
    Pack<T, V> out;
    for (int v = 0; v < V; v++) out.v[v] = from_float<T>(acc[v]);
    static_cast<Pack<T, V>*>(p.to)[i] = out;
  });
}
#define COL2IM(name, T, V) KERNEL(name, WindowsArguments, 256) { col2im<T, V>(p); }
COL2IM(col2im_f32x4, float, 4)
COL2IM(col2im_f32, float, 1)
COL2IM(col2im_bf16x4, bf16, 4)
COL2IM(col2im_bf16, bf16, 1)

// k×k means, stride k, a remainder dropped: y[b, oy, ox, c] = Σ x / k², and its gradient, which is 0 in the remainder
struct AveragePoolArguments {
  const void* from;
  void* to;
  long long n;                                           // elements of `to`
  int height, width, channels, toHeight, toWidth, size;
};

template <class T> DEVICE void average_pool(const AveragePoolArguments& p) {
  grid_stride(p.n, [&](long long i) {
    const int c = static_cast<int>(i % p.channels);
    long long t = i / p.channels;
    const int ox = static_cast<int>(t % p.toWidth); t /= p.toWidth;
    const int oy = static_cast<int>(t % p.toHeight); t /= p.toHeight;
    float acc = 0;
    for (int ky = 0; ky < p.size; ky++)
      for (int kx = 0; kx < p.size; kx++)
        acc += to_float(static_cast<const T*>(p.from)[((t * p.height + oy * p.size + ky) * p.width + ox * p.size + kx) * p.channels + c]);
    static_cast<T*>(p.to)[i] = from_float<T>(acc / (p.size * p.size));
  });
}

template <class T> DEVICE void average_pool_backward(const AveragePoolArguments& p) {
  grid_stride(p.n, [&](long long i) {
    const int c = static_cast<int>(i % p.channels);
    long long t = i / p.channels;
    const int x = static_cast<int>(t % p.width) / p.size; t /= p.width;
    const int y = static_cast<int>(t % p.height) / p.size; t /= p.height;
    const bool inside = x < p.toWidth && y < p.toHeight;
    const float d = inside ? to_float(static_cast<const T*>(p.from)[((t * p.toHeight + y) * p.toWidth + x) * p.channels + c]) : 0;
    static_cast<T*>(p.to)[i] = from_float<T>(d / (p.size * p.size));
  });
}
#define POOL(name, body, T) KERNEL(name, AveragePoolArguments, 256) { body<T>(p); }
POOL(average_pool_f32, average_pool, float)
POOL(average_pool_bf16, average_pool, bf16)
POOL(average_pool_backward_f32, average_pool_backward, float)
POOL(average_pool_backward_bf16, average_pool_backward, bf16)
