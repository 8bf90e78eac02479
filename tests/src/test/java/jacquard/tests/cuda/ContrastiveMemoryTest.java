package jacquard.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.kernels.cuda.driver.Installed;
import jacquard.tensor.DType;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Contrastive;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opentest4j.TestAbortedException;

/// What the SigLIP loss asks of a GPU's memory beside its inputs and outputs: at most 2·tile·n bytes, with its
/// gradients or without.
class ContrastiveMemoryTest {
  @ParameterizedTest @CsvSource({"F32,8192,512,384", "BF16,8192,512,384", "F32,4096,512,256", "BF16,4096,512,256",
      "BF16,32768,512,384", "BF16,8192,1024,384"})
  void sigmoid(DType dtype, int n, int d, int tile) throws Exception {
    if (ContrastiveMemoryTest.class.getClassLoader().getResource("jacquard/cuda/toolkit.txt") == null)
      throw new TestAbortedException("no fatbin was built");
    var driver = new CountingDriver();
    // as in the emulation each block is an allocation of its own size
    try (var device = new CudaDevice(new Installed(driver, null, true), 0); var _ = Scope.open(device)) {
      var features = new Type(dtype, Shape.of(n, d));
      Tensor x = Tensor.empty(features), t = Tensor.empty(features), scale = Tensor.scalar(10), bias =
          Tensor.scalar(-10);
      for (boolean recorded : new boolean[] {false, true}) {
        var loss = new Contrastive.Sigmoid(tile, false, recorded);
        long results = Float.BYTES + (recorded ? 2L * n * d * dtype.bytes() + 2 * Float.BYTES : 0);
        driver.reset();
        long before = driver.held();
        Tensor.applyAll(loss, List.of(x, t, scale, bias));
        within(driver.peak() - before - results, 2L * tile * n, loss);
      }
    }
  }

  private static void within(long extra, long most, Contrastive what) {
    assertTrue(extra > 0 && extra <= most,
        "%s: %,d bytes beside inputs and outputs, expected at most %,d".formatted(what, extra, most));
  }
}
