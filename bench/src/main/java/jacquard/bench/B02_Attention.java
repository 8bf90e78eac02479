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
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// softmax(Q·Kᵀ/√d)·V of 12 heads over about 1,600 rows: sequences of 50 (ViT-B/32), 77 (text, causal), 197 (ViT-B/16)
/// and 257 (ViT-L/14), heads as wide as those of ViT-B (64), SO400M (72), ViT-H (80) and ViT-g (88); forward, and
/// forward with backward.
///
/// What you should see: ahead of libtorch's scaled_dot_product_attention, least at 197 and most where a sequence is
/// causal: only half of its scores are computed, and counted.
@State(Scope.Benchmark)
public class B02_Attention implements Work.Case {
  private static final int HEADS = 12;
  @Param({"50×64", "77×64 causal", "197×64", "257×64", "50×72", "77×72 causal", "197×72", "257×72",
      "50×80", "77×80 causal", "197×80", "257×80", "50×88", "77×88 causal", "197×88", "257×88"}) public String shape;
  @Param({"forward", "forward+backward"}) public String pass;

  private Contest contest;

  private int length() { return Integer.parseInt(shape.split("[× ]")[0]); }
  private int width() { return Integer.parseInt(shape.split("[× ]")[1]); }
  private boolean causal() { return shape.endsWith("causal"); }
  private int count() { return Math.max(1, Math.round(1600f / length())); }

  @Override public Work work() {
    double scores = count() * HEADS * (causal() ? length() * (length() + 1) / 2.0 : (double) length() * length());
    return new Work("attention " + shape + " " + pass, Work.Unit.GFLOPS,
        (pass.equals("forward") ? 4 : 14) * scores * width(), Torch.NAME, 1.3);
  }

  @Setup public void open() {
    int t = length(), d = width(), b = count(), w = HEADS * d;
    var s = Sequences.equal(b, t);
    var op = new Attention(HEADS, (float) (1 / Math.sqrt(d)), s, s, causal() ? Ranges.causal(s, s) : Ranges.full(s, s));
    var weights = jacquard.tensor.Scope.detached(Device.best());
    var in = new java.util.ArrayList<Tensor>();
    var torchIn = new java.util.ArrayList<org.bytedeco.pytorch.Tensor>();
    for (int i = 0; i < 4; i++) {
      float[] v = Draw.floats(i, b * t * w);
      in.add(weights.within(() -> Tensor.of(Shape.of(b * t, w), v)));
      // [b, heads, t, d]: as it likes it best
      torchIn.add(Torch.of(v, b, t, HEADS, d).transpose(1, 2).contiguous());
    }
    boolean back = !pass.equals("forward");
    if (back) for (int i = 0; i < 3; i++) torchIn.get(i).set_requires_grad(true);
    Supplier<List<Tensor>> ours = () -> back ? Grad.vjp(in.subList(0, 3), x -> Tensor.applyAll(op, x), _ ->
        List.of(in.get(3))).gradients() : Tensor.applyAll(op, in.subList(0, 3));
    Supplier<org.bytedeco.pytorch.Tensor> forward = () ->
        torch.scaled_dot_product_attention(torchIn.get(0), torchIn.get(1), torchIn.get(2), new TensorOptional(), 0,
            causal(), new DoubleOptional(), false);
    Supplier<org.bytedeco.pytorch.Tensor> peer = () -> back
        ? torch.grad(new TensorVector(forward.get()), new TensorVector(torchIn.get(0), torchIn.get(1), torchIn.get(2)),
        new TensorVector(torchIn.get(3)), new BoolOptional(), false, false).get(0) : forward.get();
    // d products and t terms, in two orders; exp of scores up to some 5
    try (var _ = jacquard.tensor.Scope.open(Device.best())) {
      Agreement.check(work().name(), ours.get().getFirst().floats(), Torch.floats(peer.get().transpose(1, 2)), 2e-5);
    }
    contest = Contest.of(() -> {
      try (var _ = jacquard.tensor.Scope.open(Device.best())) { ours.get(); }
    }, Torch.work(peer)).under(Ceiling.fma());
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work()); }
}
