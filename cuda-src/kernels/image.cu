// 8-bit pixels as normalised rows of patches: what a patch embedding multiplies.
//
//   y[patch, (ky, kx, c)] = (x[pixel (ky, kx) of the patch, c]/255 − mean_c)/deviation_c
//   x [images·height·width, channels], y [images·patches, size²·channels]; what is left of the grid at the right and the bottom is not read
//
// A thread makes N neighbours of a row of y: they lie in one patch, mostly in one of its lines, so that bytes of x are read next to each other too.
#include "../include/pack.cuh"

struct PatchesArguments {
  const unsigned char* x;
  float* y;
  long long n;                                           // packs of y
  int height, width, channels, size;                     // of the images; a patch's side
  int across, patches;                                   // patches in a line, in an image
  Array<float, 4> mean, deviation;
};

template <int N> DEVICE void cut(const PatchesArguments& p) {
  const int row = p.size * p.size * p.channels / N;
  grid_stride(p.n, [&](long long i) {
    const long long patch = i / row, image = patch / p.patches;
    const int at = static_cast<int>(i % row) * N, number = static_cast<int>(patch % p.patches), top = number / p.across * p.size, left = number % p.across * p.size;
    int channel = at % p.channels, kx = at / p.channels % p.size, ky = at / p.channels / p.size;
    Pack<float, N> v;
    UNROLL for (int e = 0; e < N; e++) {
      const float x = p.x[((image * p.height + top + ky) * p.width + left + kx) * p.channels + channel];
      v.v[e] = (x / 255.f - p.mean[channel]) / p.deviation[channel];
      if (++channel == p.channels) {
        channel = 0;
        if (++kx == p.size) { kx = 0; ky++; }
      }
    }
    reinterpret_cast<Pack<float, N>*>(p.y)[i] = v;
  });
}
KERNEL(patches, PatchesArguments, 256) { cut<1>(p); }
KERNEL(patches_4, PatchesArguments, 256) { cut<4>(p); }
