package jacquard.bench;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.kernels.cuda.driver.Emulation;
import jacquard.tensor.Device;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/// Host time of one kernel launch through JCuda: the argument struct packed against its layout, and `cuLaunchKernel` of
/// a driver that does nothing (the emulated one with launches off, so that no GPU is needed).
///
/// What you should see: less than 1 µs. The driver of a real GPU adds its own part, some 2 µs, which no binding can
/// take away.
///
/// `bench/launch-cost`, with JMH's options
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 3, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class LaunchCost {
  private CudaDevice device;

  @Setup public void open() {
    device = (CudaDevice) Device.named("cuda");
    Emulation.launches(false);
  }

  /// A layer norm's 10 fields.
  @Benchmark public void layerNorm() {
    device.context().enter();
    device.call("layer_norm_f32").pointer(1L << 20).pointer(2L << 20).pointer(3L << 20).pointer(0).pointer(4L << 20)
        .pointer(0).pointer(0)
        .i32(12800).i32(768).f32(1e-5f).blocks(3200, 1, 1, 0);
  }

  /// A matrix product's 19 fields.
  @Benchmark public void matMul() {
    device.context().enter();
    device.call("matmul_bf16_nt_128").pointer(1L << 20).pointer(2L << 20).pointer(3L << 20).pointer(0).pointer(0)
        .pointer(0).pointer(0).pointer(0)
        .i32(12800).i32(3072).i32(768).i32(768).i32(768).i32(768).i32(1).i32(4).i32(0).i32(3).f32(0)
        .blocks(24, 100, 1, 67584);
  }

  public static void main(String[] args) throws Exception {
    new Runner(new OptionsBuilder().parent(new CommandLineOptions(args)).include(LaunchCost.class.getSimpleName())
        .build()).run();
  }
}
