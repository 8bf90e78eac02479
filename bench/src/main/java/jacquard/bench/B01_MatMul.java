package jacquard.bench;

import jacquard.bench.harness.Agreement;
import jacquard.bench.harness.Ceiling;
import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Draw;
import jacquard.bench.harness.Lane;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Torch;
import jacquard.bench.peer.Worker;
import jacquard.tensor.Device;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.Map;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// The matrix products of a linear layer y = x·Wᵀ + b, x [rows, in], W [out, in]: forward, and in backward dX = dY·W
/// and dW = dYᵀ·X. 50 rows an image of ViT-B/32: 50, 400, 1,600 and 12,800 rows are batches of 1, 8, 32 and 256.
///
/// Two peers: libtorch in this JVM, with OpenBLAS, and Python's PyTorch, with MKL, which keeps to AVX2 on a CPU that is
/// not Intel's.
///
/// What you should see: one thread at nine tenths of the machine's multiply-add peak at 1,600 rows, within a few
/// percent of libtorch and at twice PyTorch's speed where MKL keeps to AVX2; two threads twice that. With 50 rows the
/// weight is most of the traffic: it is packed once and kept, where libtorch's OpenBLAS packs it in each call.
@State(Scope.Benchmark)
public class B01_MatMul implements Work.Case {
  @Param({"forward 1536×768→3072", "forward 50×768→3072", "forward 400×768→3072", "forward 1600×768→3072",
      "forward 1600×3072→768", "forward 1600×768→2304", "forward 1600×768→768",
      "forward 12800×768→3072", "dX 50×768→3072", "dX 400×768→3072", "dX 1600×768→3072", "dX 12800×768→3072",
      "dW 50×768→3072", "dW 400×768→3072", "dW 1600×768→3072", "dW 12800×768→3072"})
  public String product;
  @Param({Torch.NAME, Worker.PYTORCH}) public String peer;

  private Contest contest;

  private int number(int i) { return Integer.parseInt(product.replaceFirst("\\w+ ", "").split("[×→]")[i]); }

  @Override public Work work() {
    return new Work("matmul " + product, Work.Unit.GFLOPS, 2.0 * number(0) * number(1) * number(2), peer,
        peer.equals(Torch.NAME) ? 1 : 1.15, product.startsWith("forward 1536") ? Ceiling.bits() == 512 ? 0.93 : 0.88
        : Double.NaN);
  }

  @Setup public void open() throws Exception {
    int m = number(0), k = number(1), n = number(2);
    float[] xs = Draw.floats(1, m * k), ws = Draw.floats(2, n * k), bs = Draw.floats(3, n), dys = Draw.floats(4, m * n);
    var weights = jacquard.tensor.Scope.detached(Device.best());
    Tensor x = weights.within(() -> Tensor.of(Shape.of(m, k), xs)), w =
        weights.within(() -> Tensor.of(Shape.of(n, k), ws)),
        b = weights.within(() -> Tensor.of(Shape.of(n), bs)), dy = weights.within(() -> Tensor.of(Shape.of(m, n), dys));
    java.util.function.Supplier<Tensor> ours = switch (product.substring(0, 2)) {
      case "fo" -> () -> x.linear(w, b, Activation.NONE);
      case "dX" -> () -> dy.matmul(w);
      default -> () -> dy.matmul(true, x, false);
    };
    int depth = product.startsWith("fo") ? k : product.startsWith("dX") ? n : m;
    float[] theirs;
    Lane lane;
    if (peer.equals(Torch.NAME)) {
      var tx = Torch.of(xs, m, k);
      var tw = Torch.of(ws, n, k);
      var tb = Torch.of(bs, n);
      var tdy = Torch.of(dys, m, n);
      java.util.function.Supplier<org.bytedeco.pytorch.Tensor> libtorch = switch (product.substring(0, 2)) {
        case "fo" -> () -> torch.linear(tx, tw, tb);
        case "dX" -> () -> torch.mm(tdy, tw);
        default -> () -> torch.mm(tdy.t(), tx);
      };
      theirs = Torch.floats(libtorch.get());
      lane = Lane.of(Torch.work(libtorch));
    } else {
      var worker = Worker.openClip(null, null, Samples.tensors(Map.of("x", x, "w", w, "b", b, "dy", dy)));
      var name = "matmul " + product.substring(0, product.indexOf(' '));
      theirs = worker.features(name);
      lane = worker.lane(name);
    }
    // two sums of `depth` products in different orders: √depth·ε each, ten deviations
    try (var _ = jacquard.tensor.Scope.open(Device.best())) {
      Agreement.check(product, ours.get().floats(), theirs, 10 * 2 * Math.sqrt(depth) * 0x1p-24);
    }
    contest = Contest.of(() -> {
      try (var _ = jacquard.tensor.Scope.open(Device.best())) { ours.get(); }
    }, lane).under(Ceiling.fma());
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work()); }
}
