package jacquard.tests.code;

import jacquard.autograd.Grad;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Ranges;
import jacquard.tests.Draw;
import java.time.Duration;
import java.util.List;

/// Runs the ops that have micro-kernels, forward and backward, until their loops are compiled: so many seconds of the
/// processor.
public final class HotLoops {
  private HotLoops() {}

  public static void main(String[] args) {
    var enough = Duration.ofSeconds(Long.parseLong(args[0]));
    while (ProcessHandle.current().info().totalCpuDuration().orElse(enough).compareTo(enough) < 0)
      try (var _ = Scope.open(Device.named("cpu"))) {
      Tensor x = draw(200, 256), w = draw(256, 256), b = draw(256), rows = draw(274, 128);
      x.matmul(w);
      w.matmul(true, w, false);
      for (var f : Activation.values()) {
        both(new Fused.Linear(f, true, false), x, w, b);
        both(new Elementwise.Activate(f), x);
      }
      // they are short: else they are not compiled in time
      for (int i = 0; i < 10; i++) {
        both(new Elementwise.Add(), x, x.copy());
        both(new Fused.LayerNorm(1e-5f, false), x, b, b.copy());
        both(new Fused.Softmax(), x);
        both(new Fused.Softmax(), draw(500, 50));
        both(new Fused.Normalize(1e-12f), x);
      }
      var s = Sequences.ofLengths(197, 77);
      both(new Attention(2, 0.125f, s, s, Ranges.causal(s, s)), rows, rows.copy(), rows.copy());
      Tensor images = draw(300, 64), texts = draw(300, 64);
      both(new Contrastive.Softmax(128, false, false), images, texts, Tensor.scalar(3));
      both(new Contrastive.Sigmoid(128, false, false), images, texts, Tensor.scalar(3), Tensor.scalar(-3));
      both(new Fused.Conv2d(new Grid(14, 14), 1, 1), draw(2 * 196, 32), draw(48, 3, 3, 32));
      for (int k : new int[] {3, 5, 7})
        both(new Fused.Conv2d(new Grid(14, 14), 1, Padding.of(k / 2), 64, false), draw(2 * 196, 64), draw(64, k, k, 1));
    }
  }

  private static Tensor draw(int... dims) { return Draw.uniform(1, Shape.of(dims), -1, 1); }

  private static void both(Op op, Tensor... in) {
    Grad.vjp(List.of(in), x -> Tensor.applyAll(op, x), y -> List.of(y.getFirst().copy()));
  }
}
