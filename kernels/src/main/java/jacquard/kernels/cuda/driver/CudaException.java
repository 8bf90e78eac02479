package jacquard.kernels.cuda.driver;

/// A call of the driver failed.
public final class CudaException extends RuntimeException {
  private static final int OUT_OF_MEMORY = 2;
  private static final int INVALID_VALUE = 1;
  private static final int NOT_FOUND = 500;
  private final int code;

  CudaException(String call, int code, String name, String meaning) {
    super(call + ": " + name + (meaning == null || meaning.equals(name) ? "" : ", " + meaning));
    this.code = code;
  }

  /// The `CUresult`.
  public int code() { return code; }

  /// Whether the device can be used no longer: all but refusals of a single call, after which nothing has changed.
  public boolean fatal() { return code != OUT_OF_MEMORY && code != INVALID_VALUE && code != NOT_FOUND; }
}
