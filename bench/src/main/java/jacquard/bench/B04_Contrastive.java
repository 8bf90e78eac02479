package jacquard.bench;

import com.sun.management.GarbageCollectionNotificationInfo;
import jacquard.autograd.Grad;
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
import jacquard.clip.loss.ContrastiveLoss;
import jacquard.tensor.Device;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import javax.management.NotificationEmitter;
import javax.management.openmbean.CompositeData;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Both contrastive losses over all pairs of N images and texts, D = 512, forward and backward. The peers materialise
/// the N×N logits: libtorch with the softmax loss composed as OpenCLIP composes it, and OpenCLIP itself. At N = 32,768
/// OpenCLIP does not finish; the peer is ourselves at 8,192, times 17.
///
/// What you should see: one product of N²·D forward and two with a recomputation backward, at the speed of matrix
/// products, and memory that grows with N alone.
@State(Scope.Benchmark)
public class B04_Contrastive implements Work.Case {
  private static final String SMALLER = "Jacquard at N=8192, ×17";
  private static final int WIDTH = 512;
  private static final float SCALE = 14.3f;
  @Param({"softmax N=1024 | " + Torch.NAME, "softmax N=4096 | " + Torch.NAME, "softmax N=8192 | " + Torch.NAME,
      "softmax N=8192 | " + Worker.OPEN_CLIP, "sigmoid N=1024 | " + Worker.OPEN_CLIP,
      "sigmoid N=8192 | " + Worker.OPEN_CLIP,
      "softmax N=16384 | " + Worker.OPEN_CLIP, "softmax N=32768 | " + SMALLER}) public String loss;

  private Contest contest;

  private int n() { return Integer.parseInt(loss.replaceAll("\\D*(\\d+) .*", "$1")); }
  private String peer() { return loss.substring(loss.indexOf('|') + 2); }
  private String kind() { return loss.substring(0, loss.indexOf(' ')); }

  @Override public boolean heavy() { return n() >= 8192; }

  @Override public Work work() {
    return new Work("contrastive " + loss.substring(0, loss.indexOf(" |")) + " forward+backward", Work.Unit.SECONDS, 1,
        peer(), peer().equals(SMALLER) ? 1 : n() == 8192 ? 2 : Double.NaN).of(8.0 * n() * n() * WIDTH);
  }

  @Setup public void open() throws Exception {
    var ours = ours(kind(), n());
    Lane peer;
    float[] theirs = null;                                                        // the gradient of the images
    if (peer().equals(Torch.NAME)) {
      var materialised = materialised(n());
      theirs = Torch.floats(materialised.get().get(0));
      peer = Lane.of(Torch.work(materialised));
    } else if (peer().equals(SMALLER)) {
      var at8192 = ours(kind(), 8192);
      var smaller = Lane.of(() -> run(at8192));
      peer = window -> 17 * smaller.perCall(window);
    } else {
      var in = inputs(n());
      var worker = Worker.openClip(null, null, Samples.tensors(Map.of("x", in.get(0), "y", in.get(1))));
      theirs = worker.features("loss " + kind() + " " + n());
      peer = worker.lane("loss " + kind() + " " + n());
    }
    // a logit is scale times a sum of 512 products, each side's in an order of its own; its error is the relative error
    // of a probability
    if (theirs != null)
      try (var _ = jacquard.tensor.Scope.open(Device.best())) {
        Agreement.check(work().name(), ours.get().floats(), theirs, 10 * 2 * SCALE * Math.sqrt(WIDTH) * 0x1p-24);
      }
    contest = new Contest(Lane.of(() -> run(ours)), peer, Ceiling.fma());
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work()); }

  private static List<Tensor> inputs(int n) {
    return jacquard.tensor.Scope.detached(Device.best())
        .within(() -> List.of(Tensor.of(Shape.of(n, WIDTH), Draw.floats(1, n * WIDTH)).normalize(),
        Tensor.of(Shape.of(n, WIDTH), Draw.floats(2, n * WIDTH)).normalize(), Tensor.scalar(SCALE),
        Tensor.scalar(-10)));
  }

  /// The gradient of the images, computed with all others.
  private static Supplier<Tensor> ours(String kind, int n) {
    var in = inputs(n);
    boolean softmax = kind.equals("softmax");
    return () -> Grad.vjp(softmax ? in.subList(0, 3) : in, v ->
        List.of(softmax ? ContrastiveLoss.softmax(v.get(0), v.get(1), v.get(2), null)
            : ContrastiveLoss.sigmoid(v.get(0), v.get(1), v.get(2), v.get(3), null)),
        _ -> List.of(Tensor.scalar(1))).gradients().getFirst();
  }

  private static void run(Supplier<Tensor> ours) {
    try (var _ = jacquard.tensor.Scope.open(Device.best())) { ours.get(); }
  }

  /// What a call needs at most beyond its inputs and the two gradients: what lives after the fullest collection during
  /// it, or all bytes that it allocates, if they are fewer; and the scratch that threads keep. Calls at N = 1,024 go
  /// before, since vectors are objects until their kernel is compiled.
  static double extra(String kind, int n) throws Exception {
    var work = ours(kind, n);
    var first = ours(kind, 1024);
    long before = used();
    for (int i = 0; i < 200; i++) run(first);
    long kept = Math.max(0, used() - before), start = used();
    var fullest = new AtomicLong();
    for (var gc : ManagementFactory.getGarbageCollectorMXBeans())
      ((NotificationEmitter) gc).addNotificationListener((n1, _) -> {
        var after = GarbageCollectionNotificationInfo.from((CompositeData) n1.getUserData()).getGcInfo()
            .getMemoryUsageAfterGc();
        fullest.accumulateAndGet(after.entrySet().stream().filter(e -> e.getKey().startsWith("G1"))
            .mapToLong(e -> e.getValue().getUsed()).sum(), Math::max);
      }, null, null);
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long allocated = threads.getTotalThreadAllocatedBytes();
    run(work);
    allocated = threads.getTotalThreadAllocatedBytes() - allocated;
    Thread.sleep(200);                                                           // notices of collections come late
    double gradients = 2.0 * 4 * n * WIDTH;
    return kept + Math.max(0, (fullest.get() == 0 ? allocated : Math.min(allocated, fullest.get() - start))
        - gradients);
  }

  private static long used() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  /// ½·(cross entropy of rows + of columns) of scale·x·yᵀ against the diagonal, and its gradients.
  private static Supplier<TensorVector> materialised(int n) {
    var in = new ArrayList<org.bytedeco.pytorch.Tensor>();
    for (int i = 1; i <= 2; i++)
      in.add(torch.normalize(Torch.of(Draw.floats(i, n * WIDTH), n, WIDTH)).set_requires_grad(true));
    var scale = Torch.of(new float[] {SCALE}, 1).set_requires_grad(true);
    var labels = torch.arange(new org.bytedeco.pytorch.Scalar(n),
        new org.bytedeco.pytorch.TensorOptions(torch.ScalarType.Long));
    return () -> {
      var z = torch.mul(torch.mm(in.get(0), in.get(1).t()), scale);
      var value = torch.cross_entropy(z, labels).add(torch.cross_entropy(z.t(), labels))
          .mul(new org.bytedeco.pytorch.Scalar(0.5));
      return torch.grad(new TensorVector(value), new TensorVector(in.get(0), in.get(1), scale));
    };
  }
}
