package jacquard.clip.cli.options;

import jacquard.tensor.Device;
import java.util.List;
import picocli.CommandLine.Option;

/// Vendors' libraries in place of the device's own kernels. They round otherwise: checkpoints say what was used.
public final class LibraryOptions {
  @Option(names = "--gemm", paramLabel = "LIBRARY",
      description = "On a GPU, who multiplies matrices: jacquard, or cublas (needs cuBLAS 12; default: "
          + "${DEFAULT-VALUE}).")
  String gemm = "jacquard";
  @Option(names = "--conv", paramLabel = "LIBRARY",
      description = "On a GPU, who convolves: jacquard, or cudnn (needs cuDNN 8; default: ${DEFAULT-VALUE}).")
  String conv = "jacquard";
  @Option(names = "--sums", paramLabel = "LIBRARY",
      description = "Between GPUs that --dist-backend nccl joins, who adds up gradients: jacquard, in rank order, "
          + "which gives the same bits on every cluster, or nccl, in its own (default: ${DEFAULT-VALUE}).")
  String sums = "jacquard";

  /// A library that cannot be used here is told, and the devices' own kernels do its work.
  public List<Device> on(List<Device> devices) {
    for (var d : devices) {
      use(d, "gemm", gemm);
      use(d, "conv", conv);
      use(d, "sums", sums);
    }
    return devices;
  }

  private static void use(Device device, String work, String library) {
    try { device.use(work, library); }
    catch (IllegalArgumentException e) { throw new IllegalArgumentException("--" + work + ": " + e.getMessage(), e); }
    catch (IllegalStateException e) {
      System.err.printf("WARNING   --%s %s: %s; the kernels of %s do it%n", work, library, e.getMessage(),
          device.name());
    }
  }
}
