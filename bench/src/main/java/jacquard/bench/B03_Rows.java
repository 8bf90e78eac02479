package jacquard.bench;

import jacquard.bench.harness.Agreement;
import jacquard.bench.harness.Ceiling;
import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Draw;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Torch;
import jacquard.tensor.Device;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Elementwise;
import java.util.function.Supplier;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Ops that read each element once and write it once: layer norm, GELU, softmax. 1,600 rows stay in the outer caches,
/// 12,800 do not.
///
/// What you should see: the large shapes near the bandwidth of memory (that of a copy), the small ones above it, since
/// they come from a cache; GELU's polynomial costs little beside the traffic. Here either 90 % of the bandwidth or 1.2
/// times libtorch is what we want. At the large shapes libtorch asks the operating system for each result anew, whose
/// first touch costs more than the op; ours come from a pool.
@State(Scope.Benchmark)
public class B03_Rows implements Work.Case {
  @Param({"layer norm 1600×768", "layer norm 12800×768", "GELU 1600×3072", "GELU 12800×3072", "softmax 19200×50",
      "softmax 12800×1024"})
  public String op;

  private Contest contest;

  private int number(int i) { return Integer.parseInt(op.substring(op.lastIndexOf(' ') + 1).split("×")[i]); }

  @Override public Work work() {
    return new Work(op, Work.Unit.GBS, 8.0 * number(0) * number(1), Torch.NAME, 1.2, 0.9);
  }

  @Setup public void open() {
    int r = number(0), n = number(1);
    float[] xs = Draw.floats(1, r * n), gs = Draw.floats(2, n), bs = Draw.floats(3, n);
    var weights = jacquard.tensor.Scope.detached(Device.best());
    Tensor x = weights.within(() -> Tensor.of(Shape.of(r, n), xs)), g =
        weights.within(() -> Tensor.of(Shape.of(n), gs)), b = weights.within(() -> Tensor.of(Shape.of(n), bs));
    var tx = Torch.of(xs, r, n);
    var tg = new TensorOptional(Torch.of(gs, n));
    var tb = new TensorOptional(Torch.of(bs, n));
    Supplier<Tensor> ours = switch (op.charAt(0)) {
      case 'l' -> () -> x.layerNorm(g, b, 1e-5f);
      case 'G' -> () -> Tensor.apply(new Elementwise.Activate(Activation.GELU), x);
      default -> x::softmax;
    };
    long[] last = {n};
    Supplier<org.bytedeco.pytorch.Tensor> peer = switch (op.charAt(0)) {
      case 'l' -> () -> torch.layer_norm(tx, last, tg, tb, 1e-5, false);
      case 'G' -> () -> torch.gelu(tx, "none");
      default -> () -> torch.softmax(tx, -1);
    };
    // sums of n, a division, a polynomial: some 20 ulp
    try (var _ = jacquard.tensor.Scope.open(Device.best())) {
      Agreement.check(op, ours.get().floats(), Torch.floats(peer.get()), 2e-6);
    }
    contest = Contest.of(() -> {
      try (var _ = jacquard.tensor.Scope.open(Device.best())) { ours.get(); }
    }, Torch.work(peer)).under(Ceiling.copy());
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work()); }
}
