package jacquard.kernels.cuda.launch;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Fused;
import java.util.List;

/// 8-bit pixels as normalised rows of patches: `cuda-src/kernels/image.cu`.
public final class CudaImage {
  public static final int MOST_CHANNELS = 4;

  private CudaImage() {}

  public static void patches(CudaDevice device, Fused.Patches op, Tensor x, Tensor y) {
    int channels = op.mean().size(), row = y.dim(1);
    long n = y.shape().size(), from = device.dense(x), at = CudaDevice.address(y);
    boolean packed = row % 4 == 0 && at % 16 == 0;
    var call = device.call(packed ? "patches_4" : "patches").pointer(from).pointer(at).i64(packed ? n / 4 : n)
        .i32(op.grid().height()).i32(op.grid().width()).i32(channels)
        .i32(op.size()).i32(op.to().width()).i32(op.to().size());
    for (var values : List.of(op.mean(), op.deviation()))
      for (int c = 0; c < MOST_CHANNELS; c++) call.f32(c < channels ? values.get(c) : 1);
    call.over(packed ? n / 4 : n, 1);
  }
}
