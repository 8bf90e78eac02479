// Depthwise convolution over rows of pixels (NHWC), m outputs a channel, direct: no windows are laid out.
//
//   forward          y[b, oy, ox, o] = bias[o] + Σ over (ky, kx) of x[b, oy·s + ky − top, ox·s + kx − left, o/m] · W[ky, kx, o]
//   input gradient   dx[b, iy, ix, c] = Σ over (o of c; ky, kx) of dy[b, (iy + top − ky)/s, (ix + left − kx)/s, o] · W[ky, kx, o] where s divides both
//   weight gradient  dW[o, ky, kx] = Σ over (b, oy, ox) of dy[b, oy, ox, o] · x[b, oy·s + ky − top, ox·s + kx − left, o/m]
//
// Weights come as [ky, kx, o], so that neighbouring threads, whose channels are neighbours, read neighbours. A thread makes V channels of a strip of pixels: a weight is
// read once for all of them.
#include "../include/pack.cuh"
#include "../include/warp.cuh"

struct DepthwiseArguments {
  const void *from, *weight, *bias;                      // bias: null where there is none
  void* to;
  long long n;                                           // packs of strips of `to`
  int height, width, channels, toHeight, toWidth, outputs;                                                  // of x and of y, whichever of them is read
  int kernelHeight, kernelWidth, stride, top, left;
};

constexpr int STRIP = 4;

template <class T, int V> DEVICE Pack<T, V> pack_of(const void* p, long long element) { return *reinterpret_cast<const Pack<T, V>*>(static_cast<const T*>(p) + element); }

template <class T, int V> DEVICE void add_products(float* acc, const Pack<T, V>& a, const Pack<T, V>& b) {
  UNROLL for (int v = 0; v < V; v++) acc[v] += to_float(a.v[v]) * to_float(b.v[v]);
}

template <class T, int V> DEVICE void store_strip(const float (&acc)[STRIP][V], void* to, long long pixel, int columns, int channels, int c) {
  UNROLL for (int j = 0; j < STRIP; j++) {
    if (j >= columns) continue;
    Pack<T, V> out;
    UNROLL for (int v = 0; v < V; v++) out.v[v] = from_float<T>(acc[j][v]);
    *reinterpret_cast<Pack<T, V>*>(static_cast<T*>(to) + (pixel + j) * channels + c) = out;
  }
}

template <class T, int V> DEVICE void depthwise(const DepthwiseArguments& p) {
  const int packs = p.outputs / V, strips = ceil_div(p.toWidth, STRIP), m = p.outputs / p.channels;          // m is 1 where V is not
  grid_stride(p.n, [&](long long i) {
    const int o = static_cast<int>(i % packs) * V;
    long long t = i / packs;
    const int ox = static_cast<int>(t % strips) * STRIP; t /= strips;
    const int oy = static_cast<int>(t % p.toHeight); t /= p.toHeight;                                      // t: the image
    const int c = V == 1 ? o / m : o;
    float acc[STRIP][V] = {};
    if (p.bias) {
      const auto b = pack_of<T, V>(p.bias, o);
      UNROLL for (int j = 0; j < STRIP; j++) UNROLL for (int v = 0; v < V; v++) acc[j][v] = to_float(b.v[v]);
    }
    for (int ky = 0; ky < p.kernelHeight; ky++) {
      const int y = oy * p.stride + ky - p.top;
      if (y < 0 || y >= p.height) continue;
      const long long row = (t * p.height + y) * p.width;
      for (int kx = 0; kx < p.kernelWidth; kx++) {
        const auto w = pack_of<T, V>(p.weight, static_cast<long long>(ky * p.kernelWidth + kx) * p.outputs + o);
        UNROLL for (int j = 0; j < STRIP; j++) {
          const int x = (ox + j) * p.stride + kx - p.left;
          if (x >= 0 && x < p.width) add_products<T, V>(acc[j], pack_of<T, V>(p.from, (row + x) * p.channels + c), w);
        }
      }
    }
    store_strip<T, V>(acc, p.to, (t * p.toHeight + oy) * p.toWidth + ox, p.toWidth - ox, p.outputs, o);
  });
}

template <class T, int V> DEVICE void depthwise_backward(const DepthwiseArguments& p) {
  const int packs = p.channels / V, strips = ceil_div(p.width, STRIP), m = V == 1 ? p.outputs / p.channels : 1;
  grid_stride(p.n, [&](long long i) {
    const int c = static_cast<int>(i % packs) * V;
    long long t = i / packs;
    const int ix = static_cast<int>(t % strips) * STRIP; t /= strips;
    const int iy = static_cast<int>(t % p.height); t /= p.height;
    float acc[STRIP][V] = {};
    for (int o = c * m; o < c * m + m; o++)
      for (int ky = 0; ky < p.kernelHeight; ky++) {
        const int y = iy + p.top - ky;
        if (y < 0 || y % p.stride || y / p.stride >= p.toHeight) continue;
        const long long row = (t * p.toHeight + y / p.stride) * p.toWidth;
        for (int kx = 0; kx < p.kernelWidth; kx++) {
          const auto w = pack_of<T, V>(p.weight, static_cast<long long>(ky * p.kernelWidth + kx) * p.outputs + o);
          UNROLL for (int j = 0; j < STRIP; j++) {
            const int x = ix + j + p.left - kx;
            if (x >= 0 && x % p.stride == 0 && x / p.stride < p.toWidth) add_products<T, V>(acc[j], pack_of<T, V>(p.from, (row + x / p.stride) * p.outputs + o), w);
          }
        }
      }
    store_strip<T, V>(acc, p.to, (t * p.height + iy) * p.width + ix, p.width - ix, p.channels, c);
  });
}
#define DEPTHWISE(name, body, T, V) KERNEL(name, DepthwiseArguments, 256, 3) { body<T, V>(p); }
DEPTHWISE(depthwise_f32x4, depthwise, float, 4)
DEPTHWISE(depthwise_f32, depthwise, float, 1)
DEPTHWISE(depthwise_bf16x4, depthwise, bf16, 4)
DEPTHWISE(depthwise_bf16, depthwise, bf16, 1)
DEPTHWISE(depthwise_backward_f32x4, depthwise_backward, float, 4)
DEPTHWISE(depthwise_backward_f32, depthwise_backward, float, 1)
DEPTHWISE(depthwise_backward_bf16x4, depthwise_backward, bf16, 4)
DEPTHWISE(depthwise_backward_bf16, depthwise_backward, bf16, 1)

struct DepthwiseWeightArguments {
  const void *x, *dy;
  float* to;                                             // [pieces, outputs, taps]
  int rows, stretch;                                     // rows of outputs of all images, and those of a piece
  int height, width, channels, toHeight, toWidth, outputs;
  int kernelHeight, kernelWidth, stride, top, left;
};

constexpr int DEPTHWISE_WARPS = 8, TAPS = 8;

// A block takes 32 outputs, a piece of the rows and TAPS taps of one row of the kernel; a warp every 8th row. The warps are added in order, the pieces by another kernel.
template <class T> DEVICE void depthwise_weight(const DepthwiseWeightArguments& p) {
  float* shared = shared_memory<float>();                // [DEPTHWISE_WARPS, TAPS, 32]
  const int o = blockIdx.x * WARP + lane(), chunks = ceil_div(p.kernelWidth, TAPS), ky = blockIdx.z / chunks, first = blockIdx.z % chunks * TAPS;
  const int from = blockIdx.y * p.stretch, to = min(p.rows, from + p.stretch), m = p.outputs / p.channels;
  float acc[TAPS] = {};
  if (o < p.outputs)
    for (int r = from + warp(); r < to; r += DEPTHWISE_WARPS) {
      const int y = r % p.toHeight * p.stride + ky - p.top;
      if (y < 0 || y >= p.height) continue;
      const long long row = (static_cast<long long>(r / p.toHeight) * p.height + y) * p.width;
      for (int ox = 0; ox < p.toWidth; ox++) {
        const float d = to_float(static_cast<const T*>(p.dy)[(static_cast<long long>(r) * p.toWidth + ox) * p.outputs + o]);
        UNROLL for (int k = 0; k < TAPS; k++) {
          const int x = ox * p.stride + first + k - p.left;
          if (first + k < p.kernelWidth && x >= 0 && x < p.width) acc[k] += d * to_float(static_cast<const T*>(p.x)[(row + x) * p.channels + o / m]);
        }
      }
    }
  UNROLL for (int k = 0; k < TAPS; k++) shared[(warp() * TAPS + k) * WARP + lane()] = acc[k];
  __syncthreads();
  const int kx = first + warp();                         // warp k adds up tap k
  if (o >= p.outputs || kx >= p.kernelWidth) return;
  float s = 0;
  for (int w = 0; w < DEPTHWISE_WARPS; w++) s += shared[(w * TAPS + warp()) * WARP + lane()];
  p.to[(static_cast<long long>(blockIdx.y) * p.outputs + o) * p.kernelHeight * p.kernelWidth + ky * p.kernelWidth + kx] = s;
}
KERNEL(depthwise_weight_f32, DepthwiseWeightArguments, 256, 4) { depthwise_weight<float>(p); }
KERNEL(depthwise_weight_bf16, DepthwiseWeightArguments, 256, 4) { depthwise_weight<bf16>(p); }
