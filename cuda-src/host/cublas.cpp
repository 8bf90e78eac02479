// libcublas.so.12: a stand-in for the part of cuBLAS that we call, so that JCublas' unchanged natives run without a GPU. Plain loops over the emulated memory;
// what a call may not ask for is refused as cuBLAS refuses it. Symbols carry the version node that the natives want (cublas.map).
#include "numbers.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))
typedef int Status;
enum : Status { SUCCESS = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
struct Handle { void* stream; };

EXPORTED Status cublasCreate_v2(Handle** h) { *h = new Handle{nullptr}; return SUCCESS; }
EXPORTED Status cublasDestroy_v2(Handle* h) { delete h; return SUCCESS; }
EXPORTED Status cublasSetStream_v2(Handle* h, void* stream) { if (!h) return NOT_INITIALIZED; h->stream = stream; return SUCCESS; }
EXPORTED Status cublasGetVersion_v2(Handle* h, int* v) { if (!h) return NOT_INITIALIZED; *v = 120600; return SUCCESS; }

/// C [m, n] = alpha·op(A)·op(B) + beta·C, by columns: element (i, j) of a matrix is x[i + j·ld].
EXPORTED Status cublasGemmEx(Handle* h, int transa, int transb, int m, int n, int k, const float* alpha, const void* a, int type_a, int lda, const void* b, int type_b, int ldb,
    const float* beta, void* c, int type_c, int ldc, int compute, int) {
  const int R_32F = 0, R_16BF = 14, COMPUTE_32F = 68;
  if (!h) return NOT_INITIALIZED;
  bool half = type_a == R_16BF;
  if (m < 0 || n < 0 || k < 0 || lda < (transa ? k : m) || ldb < (transb ? n : k) || ldc < m || !alpha || !beta || transa > 1 || transb > 1) return INVALID_VALUE;
  if (compute != COMPUTE_32F || type_a != type_b || (type_a != R_32F && !half) || (type_c != R_32F && (!half || type_c != R_16BF))) return NOT_SUPPORTED;
  for (long j = 0; j < n; j++)
    for (long i = 0; i < m; i++) {
      float sum = 0;
      for (long x = 0; x < k; x++) sum += load(a, transa ? x + i * lda : i + x * lda, half) * load(b, transb ? j + x * ldb : x + j * ldb, half);
      sum *= *alpha;
      if (*beta != 0) sum += *beta * load(c, i + j * ldc, type_c == R_16BF);
      store(c, i + j * ldc, type_c == R_16BF, sum);
    }
  return SUCCESS;
}
