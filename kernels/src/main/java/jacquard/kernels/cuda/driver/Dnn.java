package jacquard.kernels.cuda.driver;

/// A vendor's convolutions, on the stream of one context.
public interface Dnn {
  /// x [batch, height, width, in], weight [out, kernelHeight, kernelWidth, in] → y [batch, toHeight, toWidth, out],
  /// BF16 or F32.
  record Convolution(boolean half, int batch, int height, int width, int in, int out, int kernelHeight,
      int kernelWidth, int toHeight, int toWidth, int stride, int padding) {}

  /// Which of the three is made from the other two.
  enum Pass { OUTPUT, INPUT, WEIGHT }

  String version();

  /// Bytes of memory that a pass works in; −1 where the library does not do it.
  long workspace(Convolution c, Pass pass);

  void run(Convolution c, Pass pass, long x, long weight, long y, long workspace, long bytes);
}
