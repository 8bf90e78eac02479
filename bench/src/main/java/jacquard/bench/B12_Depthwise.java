package jacquard.bench;

import jacquard.autograd.Grad;
import jacquard.bench.harness.Agreement;
import jacquard.bench.harness.Ceiling;
import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Draw;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Torch;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Fused;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Depthwise convolutions with a bias over eight maps, as ConvNeXt (7×7) and MobileCLIP (3×3) have them; forward, and
/// forward with backward. libtorch has its channels last too.
///
/// What you should see: a 3×3 kernel near the bandwidth of memory; a 7×7 one bound by its 49 products a pixel and
/// channel.
@State(Scope.Benchmark)
public class B12_Depthwise implements Work.Case {
  private static final int IMAGES = 8;
  @Param({"7×7 of 56×128", "7×7 of 28×256", "7×7 of 14×512", "7×7 of 7×768", "3×3 of 56×64", "3×3 of 28×256"})
  public String shape;
  @Param({"forward", "forward+backward"}) public String pass;

  private Contest contest;

  private int number(int i) { return Integer.parseInt(shape.split("×| of ")[i]); }
  private boolean back() { return !pass.equals("forward"); }

  /// Forward x and y cross the bus; backward x and dy, and dx too.
  @Override public Work work() {
    double map = 4.0 * IMAGES * number(2) * number(2) * number(3);
    return new Work("depthwise " + shape + " " + pass, Work.Unit.GBS, (back() ? 6 : 2) * map, Torch.NAME, 1.1, 0.9);
  }

  @Setup public void open() {
    int k = number(0), side = number(2), c = number(3), pixels = IMAGES * side * side;
    float[] xs = Draw.floats(1, pixels * c), ws = Draw.floats(2, c * k * k), bs = Draw.floats(3, c), ds =
        Draw.floats(4, pixels * c);
    var op = new Fused.Conv2d(Grid.of(side), 1, Padding.of(k / 2), c, true);
    var weights = jacquard.tensor.Scope.detached(Device.best());
    var in = weights.within(() ->
        List.of(Tensor.of(Shape.of(pixels, c), xs), Tensor.of(Shape.of(c, k, k, 1), ws), Tensor.of(Shape.of(c), bs)));
    var dy = weights.within(() -> Tensor.of(Shape.of(pixels, c), ds));
    var tx = Torch.of(xs, IMAGES, side, side, c).permute(0, 3, 1, 2);
    var tw = Torch.of(ws, c, 1, k, k);
    var tb = Torch.of(bs, c);
    var td = Torch.of(ds, IMAGES, side, side, c).permute(0, 3, 1, 2);
    if (back()) for (var t : List.of(tx, tw, tb)) t.set_requires_grad(true);
    Supplier<List<Tensor>> ours = () -> back() ? Grad.vjp(in, x -> Tensor.applyAll(op, x), _ -> List.of(dy)).gradients()
        : Tensor.applyAll(op, in);
    Supplier<org.bytedeco.pytorch.Tensor> forward = () ->
        torch.conv2d(tx, tw, new TensorOptional(tb), new long[] {1, 1}, new long[] {k / 2, k / 2}, new long[] {1, 1},
            c);
    Supplier<org.bytedeco.pytorch.Tensor> peer = () ->
        back() ? torch.grad(new TensorVector(forward.get()), new TensorVector(tx, tw, tb), new TensorVector(td),
            new BoolOptional(), false, false).get(0) : forward.get();
    // sums of k² products and a bias, in two orders
    try (var _ = jacquard.tensor.Scope.open(Device.best())) {
      Agreement.check(work().name(), ours.get().getFirst().floats(), Torch.floats(peer.get().permute(0, 2, 3, 1)),
          k * k * 0x1p-23);
    }
    contest = Contest.of(() -> {
      try (var _ = jacquard.tensor.Scope.open(Device.best())) { ours.get(); }
    }, Torch.work(peer)).under(Ceiling.copy());
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work()); }
}
