package jacquard.kernels.cuda.driver;

/// A vendor's matrix products, on the stream of one context.
public interface Blas {
  String version();

  /// C [m,n] = op(A) [m,k] · op(B) [k,n] + β·C, all row-major as stored, sums in FP32.
  ///
  /// @param half  factors are BF16, else F32
  /// @param wide  C is F32 though the factors are BF16
  /// @param aRow  elements from row to row of A as stored
  void product(boolean half, boolean wide, int m, int n, int k, long a, int aRow, boolean aTransposed, long b,
      int bRow, boolean bTransposed, float beta, long c);
}
