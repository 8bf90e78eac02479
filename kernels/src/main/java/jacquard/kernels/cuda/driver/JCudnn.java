package jacquard.kernels.cuda.driver;

import static jcuda.jcudnn.JCudnn.*;

import java.util.HashMap;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUstream;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnStatus;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.runtime.cudaStream_t;

/// cuDNN 8 through JCudnn 11.7, the newest there is, beside JCuda 12.6. Of each pass the algorithm that takes rows of
/// pixels (NHWC) and gives the same bits every time.
final class JCudnn implements Dnn {
  private static final int NHWC = 1, FLOAT = 0, BFLOAT16 = 9, CROSS_CORRELATION = 1, FMA_MATH = 3, TENSOR_OP_MATH = 1;
  /// IMPLICIT_PRECOMP_GEMM of the output; ALGO_1, the one that is deterministic, of the gradients.
  private static final int ALGORITHM = 1;

  private record Descriptors(cudnnTensorDescriptor x, cudnnFilterDescriptor weight,
      cudnnConvolutionDescriptor convolution, cudnnTensorDescriptor y) {
    
  }

  private final cudnnHandle handle = new cudnnHandle();
  private final Map<Convolution, Descriptors> descriptors = new HashMap<>();
  private final Pointer one = Pointer.to(new float[] {1}), zero = Pointer.to(new float[] {0});

  /// With the context current. An `IllegalStateException` says what is missing.
  JCudnn(CUstream stream) {
    Natives.vendor("jcudnn", "jcuda.jcudnn.JCudnn", "11.7.0", "JCudnn", "libcudnn.so.8");
    check("cudnnCreate", cudnnCreate(handle));
    check("cudnnSetStream", cudnnSetStream(handle, new cudaStream_t(stream)));
  }

  private static void check(String call, int result) {
    if (result != cudnnStatus.CUDNN_STATUS_SUCCESS)
      throw new IllegalStateException(call + ": " + cudnnStatus.stringFor(result));
  }

  @Override public String version() {
    long v = cudnnGetVersion();
    return v / 1000 + "." + v / 100 % 10 + "." + v % 100;
  }

  private static Descriptors describe(Convolution c) {
    var d = new Descriptors(new cudnnTensorDescriptor(), new cudnnFilterDescriptor(), new cudnnConvolutionDescriptor(),
        new cudnnTensorDescriptor());
    int type = c.half() ? BFLOAT16 : FLOAT;
    check("cudnnCreateTensorDescriptor", cudnnCreateTensorDescriptor(d.x));
    check("cudnnCreateTensorDescriptor", cudnnCreateTensorDescriptor(d.y));
    check("cudnnCreateFilterDescriptor", cudnnCreateFilterDescriptor(d.weight));
    check("cudnnCreateConvolutionDescriptor", cudnnCreateConvolutionDescriptor(d.convolution));
    check("cudnnSetTensor4dDescriptor", cudnnSetTensor4dDescriptor(d.x, NHWC, type, c.batch(), c.in(), c.height(),
        c.width()));
    check("cudnnSetTensor4dDescriptor", cudnnSetTensor4dDescriptor(d.y, NHWC, type, c.batch(), c.out(), c.toHeight(),
        c.toWidth()));
    check("cudnnSetFilter4dDescriptor", cudnnSetFilter4dDescriptor(d.weight, type, NHWC, c.out(), c.in(),
        c.kernelHeight(), c.kernelWidth()));
    check("cudnnSetConvolution2dDescriptor", cudnnSetConvolution2dDescriptor(d.convolution, c.padding(), c.padding(),
        c.stride(), c.stride(), 1, 1, CROSS_CORRELATION, FLOAT));
    // F32 as such, never as TF32
    check("cudnnSetConvolutionMathType", cudnnSetConvolutionMathType(d.convolution,
        c.half() ? TENSOR_OP_MATH : FMA_MATH));
    return d;
  }

  @Override public long workspace(Convolution c, Pass pass) {
    var d = descriptors.computeIfAbsent(c, JCudnn::describe);
    long[] bytes = new long[1];
    int result = switch (pass) {
      case OUTPUT -> cudnnGetConvolutionForwardWorkspaceSize(handle, d.x, d.weight, d.convolution, d.y, ALGORITHM,
          bytes);
      case INPUT -> cudnnGetConvolutionBackwardDataWorkspaceSize(handle, d.weight, d.y, d.convolution, d.x, ALGORITHM,
          bytes);
      case WEIGHT -> cudnnGetConvolutionBackwardFilterWorkspaceSize(handle, d.x, d.y, d.convolution, d.weight,
          ALGORITHM, bytes);
    };
    if (result == cudnnStatus.CUDNN_STATUS_NOT_SUPPORTED) return -1;
    check("cudnnGetConvolution…WorkspaceSize", result);
    return bytes[0];
  }

  @Override public void run(Convolution c, Pass pass, long x, long weight, long y, long workspace, long bytes) {
    var d = descriptors.computeIfAbsent(c, JCudnn::describe);
    Pointer xs = JCuda.at(x);
    Pointer w = JCuda.at(weight);
    Pointer ys = JCuda.at(y);
    Pointer work = JCuda.at(workspace);
    switch (pass) {
      case OUTPUT -> check("cudnnConvolutionForward",
          cudnnConvolutionForward(handle, one, d.x, xs, d.weight, w, d.convolution, ALGORITHM, work, bytes, zero, d.y,
          ys));
      case INPUT -> check("cudnnConvolutionBackwardData",
          cudnnConvolutionBackwardData(handle, one, d.weight, w, d.y, ys, d.convolution, ALGORITHM, work, bytes, zero,
          d.x, xs));
      case WEIGHT -> check("cudnnConvolutionBackwardFilter",
          cudnnConvolutionBackwardFilter(handle, one, d.x, xs, d.y, ys, d.convolution, ALGORITHM, work, bytes, zero,
          d.weight, w));
    }
  }
}
