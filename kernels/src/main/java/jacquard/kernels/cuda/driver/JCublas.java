package jacquard.kernels.cuda.driver;

import static jcuda.jcublas.JCublas2.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.CUstream;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;

/// cuBLAS 12 through JCublas 12.6. FP32 factors are multiplied as such, never as TF32.
final class JCublas implements Blas {
  private static final int R_32F = 0, R_16BF = 14, COMPUTE_32F = 68, DEFAULT_ALGORITHM = -1, PLAIN = 0, TRANSPOSED = 1;

  private final cublasHandle handle = new cublasHandle();
  private final ByteBuffer factors = ByteBuffer.allocateDirect(2 * Float.BYTES).order(ByteOrder.nativeOrder());
  private final Pointer alpha = Pointer.to(factors), beta = alpha.withByteOffset(Float.BYTES);

  /// With the context current. An `IllegalStateException` says what is missing.
  JCublas(CUstream stream) {
    Natives.vendor("jcublas", "jcuda.jcublas.JCublas2", "12.6.0", "JCublas2", "libcublas.so.12");
    check("cublasCreate", cublasCreate(handle));
    check("cublasSetStream", cublasSetStream(handle, new cudaStream_t(stream)));
    factors.putFloat(0, 1);
  }

  private static void check(String call, int result) {
    if (result != cublasStatus.CUBLAS_STATUS_SUCCESS)
      throw new IllegalStateException(call + ": " + cublasStatus.stringFor(result));
  }

  @Override public String version() {
    int[] v = new int[1];
    check("cublasGetVersion", cublasGetVersion(handle, v));
    return v[0] / 10000 + "." + v[0] / 100 % 100 + "." + v[0] % 100;
  }

  /// cuBLAS sees columns where we see rows: it is asked for Cᵀ = op(B)ᵀ·op(A)ᵀ.
  @Override public void product(boolean half, boolean wide, int m, int n, int k, long a, int aRow, boolean aTransposed,
      long b, int bRow, boolean bTransposed, float beta, long c) {
    factors.putFloat(Float.BYTES, beta);
    int type = half ? R_16BF : R_32F;
    check("cublasGemmEx", cublasGemmEx_new(handle, bTransposed ? TRANSPOSED : PLAIN, aTransposed ? TRANSPOSED : PLAIN,
        n, m, k, alpha, JCuda.at(b), type, bRow, JCuda.at(a), type, aRow,
        this.beta, JCuda.at(c), half && !wide ? R_16BF : R_32F, n, COMPUTE_32F, DEFAULT_ALGORITHM));
  }
}
