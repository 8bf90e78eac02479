package jacquard.kernels.cpu;

import jacquard.tensor.DType;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Storage;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;
import java.util.concurrent.atomic.AtomicBoolean;

/// Runs the kernels of a transformer on a few zeros, so often that the JVM compiles them, while the process still reads
/// its files: until it has, vector code is a hundred times slower. Once a JVM, on a thread of its own.
final class Rehearsal {
  /// What the launcher's thresholds ask for; with the JVM's own it is a beginning.
  private static final int TURNS = Integer.getInteger("jacquard.rehearsal", 60);
  private static final int ROWS = 16;
  private static final int WIDTH = 64;
  private static final AtomicBoolean BEGUN = new AtomicBoolean();

  private Rehearsal() {}

  static void begin() {
    if (TURNS == 0 || BEGUN.getAndSet(true)) return;
    var thread = new Thread(() -> Parallel.alone(Rehearsal::run), "jacquard-rehearsal");
    thread.setDaemon(true);
    thread.start();
  }

  private static void run() {
    Storage.Source zeros = (_, _, _, _) -> {};
    try (var device = new CpuDevice("rehearsal"); var _ = Scope.open(device)) {
      Tensor x = Tensor.zeros(Shape.of(ROWS, WIDTH));
      Tensor gain = Tensor.zeros(Shape.of(WIDTH));
      Tensor bias = Tensor.zeros(Shape.of(2 * WIDTH));
      var rows = Sequences.equal(1, ROWS);
      var attention = new Attention(1, 1, rows, rows, Ranges.full(rows, rows));
      for (int i = 0; i < TURNS; i++) try (var _ = Scope.open()) {
        x.linear(Tensor.of(new Type(DType.F32, Shape.of(2 * WIDTH, WIDTH)), zeros), bias, Activation.GELU);
        x.layerNorm(gain, gain, 1e-5f);
        Tensor.apply(attention, x, x, x);
      }
    }
  }
}
