// libcudnn.so.8: a stand-in for the part of cuDNN that we call, so that JCudnn's unchanged natives run without a GPU. Plain loops over the emulated memory, rows of
// pixels (NHWC); what a call may not ask for is refused as cuDNN refuses it.
#include "numbers.h"
#include <cstddef>

#define EXPORTED extern "C" __attribute__((visibility("default")))
typedef int Status;
enum : Status { SUCCESS = 0, BAD_PARAM = 3, NOT_SUPPORTED = 9 };
struct Handle { void* stream; };
struct Block4d { int type, n, c, h, w; };                // a tensor, or a filter: n outputs of c inputs
struct Convolution { int pad_h, pad_w, stride_h, stride_w, math; };

static const int NHWC = 1, FLOAT = 0, BFLOAT16 = 9;

EXPORTED size_t cudnnGetVersion() { return 8905; }
EXPORTED Status cudnnCreate(Handle** h) { *h = new Handle{nullptr}; return SUCCESS; }
EXPORTED Status cudnnDestroy(Handle* h) { delete h; return SUCCESS; }
EXPORTED Status cudnnSetStream(Handle* h, void* stream) { if (!h) return BAD_PARAM; h->stream = stream; return SUCCESS; }

EXPORTED Status cudnnCreateTensorDescriptor(Block4d** d) { *d = new Block4d{}; return SUCCESS; }
EXPORTED Status cudnnCreateFilterDescriptor(Block4d** d) { *d = new Block4d{}; return SUCCESS; }
EXPORTED Status cudnnCreateConvolutionDescriptor(Convolution** d) { *d = new Convolution{}; return SUCCESS; }

static Status set(Block4d* d, int format, int type, int n, int c, int h, int w) {
  if (!d || n < 1 || c < 1 || h < 1 || w < 1) return BAD_PARAM;
  if (format != NHWC || (type != FLOAT && type != BFLOAT16)) return NOT_SUPPORTED;
  *d = {type, n, c, h, w};
  return SUCCESS;
}
EXPORTED Status cudnnSetTensor4dDescriptor(Block4d* d, int format, int type, int n, int c, int h, int w) { return set(d, format, type, n, c, h, w); }
EXPORTED Status cudnnSetFilter4dDescriptor(Block4d* d, int type, int format, int n, int c, int h, int w) { return set(d, format, type, n, c, h, w); }
EXPORTED Status cudnnSetConvolution2dDescriptor(Convolution* d, int pad_h, int pad_w, int u, int v, int dilation_h, int dilation_w, int mode, int compute) {
  if (!d || pad_h < 0 || pad_w < 0 || u < 1 || v < 1) return BAD_PARAM;
  if (dilation_h != 1 || dilation_w != 1 || mode != 1 || compute != FLOAT) return NOT_SUPPORTED;
  *d = {pad_h, pad_w, u, v, 0};
  return SUCCESS;
}
EXPORTED Status cudnnSetConvolutionMathType(Convolution* d, int math) { if (!d) return BAD_PARAM; d->math = math; return SUCCESS; }

static Status fits(const Block4d* x, const Block4d* w, const Convolution* c, const Block4d* y, int algorithm) {
  if (!x || !w || !c || !y || algorithm != 1) return BAD_PARAM;
  if (x->type != w->type || x->type != y->type) return NOT_SUPPORTED;
  return x->c == w->c && y->c == w->n && x->n == y->n && y->h == (x->h + 2 * c->pad_h - w->h) / c->stride_h + 1 && y->w == (x->w + 2 * c->pad_w - w->w) / c->stride_w + 1 ? SUCCESS : BAD_PARAM;
}
/// Each pass asks for a little, so that callers are held to bringing it.
static const size_t WORKSPACE = 256;
static Status workspace(Status s, size_t* bytes) { *bytes = WORKSPACE; return s; }
EXPORTED Status cudnnGetConvolutionForwardWorkspaceSize(Handle*, Block4d* x, Block4d* w, Convolution* c, Block4d* y, int a, size_t* n) { return workspace(fits(x, w, c, y, a), n); }
EXPORTED Status cudnnGetConvolutionBackwardDataWorkspaceSize(Handle*, Block4d* w, Block4d* y, Convolution* c, Block4d* x, int a, size_t* n) { return workspace(fits(x, w, c, y, a), n); }
EXPORTED Status cudnnGetConvolutionBackwardFilterWorkspaceSize(Handle*, Block4d* x, Block4d* y, Convolution* c, Block4d* w, int a, size_t* n) { return workspace(fits(x, w, c, y, a), n); }

/// Calls f(element of x, of w, of y) for all that meet.
template <class F> static void each(const Block4d& x, const Block4d& w, const Convolution& c, const Block4d& y, F f) {
  for (long b = 0; b < y.n; b++) for (long i = 0; i < y.h; i++) for (long j = 0; j < y.w; j++) for (long o = 0; o < y.c; o++)
    for (long p = 0; p < w.h; p++) for (long q = 0; q < w.w; q++) {
      long r = i * c.stride_h + p - c.pad_h, s = j * c.stride_w + q - c.pad_w;
      if (r < 0 || r >= x.h || s < 0 || s >= x.w) continue;
      for (long e = 0; e < x.c; e++) f(((b * x.h + r) * x.w + s) * x.c + e, ((o * w.h + p) * w.w + q) * w.c + e, ((b * y.h + i) * y.w + j) * y.c + o);
    }
}

static long size(const Block4d& d) { return static_cast<long>(d.n) * d.c * d.h * d.w; }

/// to = alpha·Σ products + beta·to, sums in FP32.
template <class F> static Status run(Status s, const void* space, size_t bytes, const Block4d* to, void* data, float alpha, float beta, F add) {
  if (s != SUCCESS) return s;
  if (bytes < WORKSPACE || !space) return BAD_PARAM;
  long n = size(*to);
  auto sums = new float[n]();
  add(sums);
  for (long i = 0; i < n; i++) store(data, i, to->type == BFLOAT16, alpha * sums[i] + (beta == 0 ? 0 : beta * load(data, i, to->type == BFLOAT16)));
  delete[] sums;
  return SUCCESS;
}
EXPORTED Status cudnnConvolutionForward(Handle*, const float* alpha, Block4d* xd, const void* x, Block4d* wd, const void* w, Convolution* c, int algorithm, void* space, size_t bytes,
    const float* beta, Block4d* yd, void* y) {
  return run(fits(xd, wd, c, yd, algorithm), space, bytes, yd, y, *alpha, *beta, [&](float* sums) {
    bool half = xd->type == BFLOAT16;
    each(*xd, *wd, *c, *yd, [&](long i, long j, long o) { sums[o] += load(x, i, half) * load(w, j, half); });
  });
}
EXPORTED Status cudnnConvolutionBackwardData(Handle*, const float* alpha, Block4d* wd, const void* w, Block4d* yd, const void* y, Convolution* c, int algorithm, void* space, size_t bytes,
    const float* beta, Block4d* xd, void* x) {
  return run(fits(xd, wd, c, yd, algorithm), space, bytes, xd, x, *alpha, *beta, [&](float* sums) {
    bool half = xd->type == BFLOAT16;
    each(*xd, *wd, *c, *yd, [&](long i, long j, long o) { sums[i] += load(y, o, half) * load(w, j, half); });
  });
}
EXPORTED Status cudnnConvolutionBackwardFilter(Handle*, const float* alpha, Block4d* xd, const void* x, Block4d* yd, const void* y, Convolution* c, int algorithm, void* space, size_t bytes,
    const float* beta, Block4d* wd, void* w) {
  return run(fits(xd, wd, c, yd, algorithm), space, bytes, wd, w, *alpha, *beta, [&](float* sums) {
    bool half = xd->type == BFLOAT16;
    each(*xd, *wd, *c, *yd, [&](long i, long j, long o) { sums[j] += load(x, i, half) * load(y, o, half); });
  });
}
