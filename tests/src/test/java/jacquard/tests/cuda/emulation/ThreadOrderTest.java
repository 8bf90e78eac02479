package jacquard.tests.cuda.emulation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.autograd.Grad;
import jacquard.kernels.cuda.CudaDevice;
import jacquard.kernels.cuda.driver.Emulation;
import jacquard.kernels.cuda.driver.Installed;
import jacquard.kernels.cuda.launch.CudaMatMul;
import jacquard.tensor.DType;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Indexing;
import jacquard.tensor.op.Movement;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Ranges;
import jacquard.tensor.op.Update;
import jacquard.tests.Conformance;
import jacquard.tests.Draw;
import jacquard.tests.OpSpec;
import jacquard.tests.OpSpecs;
import jacquard.tests.Placement;
import jacquard.tests.Sample;
import jacquard.tests.cuda.Raw;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.TestAbortedException;

/// Every kernel under the memory, race and barrier checks, and with threads forwards, backwards and shuffled: no
/// report, and the same bits.
class ThreadOrderTest {
  private static final int[] WIDTHS = {32, 64, 72, 80, 88, 96, 104, 112, 128};
  /// Of other modules: faults on purpose, self-tests (TileTest), rungs (LadderTest), kernels in which ranks meet
  /// (CudaCollectivesTest).
  private static final List<String> ELSEWHERE =
      List.of("faults", "tile_test", "ladder_gemm", "ladder_attention", "ladder_sigmoid", "all_gather");
  private static Raw raw;

  @BeforeAll static void emulated() {
    Raw.emulationNeeded();
    raw = new Raw(3);
  }

  @AfterAll static void healed() { if (raw != null) raw.close(); }

  @TestFactory Stream<DynamicTest> sameBits() {
    return Stream.of(specs(), products(), attention(), losses(), wide(),
        Stream.of(DynamicTest.dynamicTest("every kernel ran", ThreadOrderTest::everyKernelRan))).flatMap(s -> s);
  }

  private static Stream<DynamicTest> specs() {
    return OpSpecs.all().stream().filter(s -> !s.large() && !(s.op() instanceof Movement.View))
        .flatMap(s -> halved(s) ? Stream.of(s, s.as(DType.BF16)) : Stream.of(s))
        .map(s -> test(s.name(), () -> new Conformance(raw.device).run(s.op(), s.draw(1), Placement.DENSE).stream()
        .map(Conformance.Result::values).toList()));
  }

  private static boolean halved(OpSpec s) {
    return !(s.op() instanceof Update || s.op() instanceof Elementwise.Cast) && !s.inputs().isEmpty()
        && s.inputs().getFirst().type().dtype() == DType.F32;
  }

  /// All tiles, whatever size would choose them.
  private static Stream<DynamicTest> products() {
    return Stream.of(DType.BF16, DType.F32).flatMap(type -> IntStream.range(0, 9).mapToObj(i -> {
      boolean ta = (i & 1) != 0, tb = (i & 2) != 0;
      int tile = (i & 4) != 0 ? 128 : type == DType.BF16 ? 64 : 32, m = tile + 8, n = tile + 16, k = 40, splits =
          i == 8 ? 2 : 1;
      return test("product of " + type + (ta ? " t" : " n") + (tb ? "t " : "n ") + tile + " in " + splits, () -> {
        var a = draw(type, 1, m, k).reshape(m * k);
        var b = draw(type, 2, k, n).reshape(k * n);
        var c = Tensor.full(Shape.of(m, n), 0);
        raw.device.guarded(() -> {
          CudaMatMul.product(raw.device, type, m, n, k, new CudaMatMul.Factor(CudaDevice.address(a), ta ? m : k, ta),
              new CudaMatMul.Factor(CudaDevice.address(b), tb ? k : n, tb),
              CudaDevice.address(c), new CudaMatMul.Epilogue(0, Activation.NONE, 0, 0, 0, type == DType.BF16), tile,
              splits);
          return null;
        });
        return List.of(Sample.read(c).values());
      });
    }));
  }

  private static Stream<DynamicTest> attention() {
    Sequences s = Sequences.ofLengths(20, 3), many = Sequences.equal(40, 2);
    return Stream.concat(Stream.concat(Arrays.stream(WIDTHS).mapToObj(d -> attend(DType.BF16, d, s)),
        IntStream.of(40, 200).mapToObj(d -> attend(DType.F32, d, s))), Stream.of(attend(DType.BF16, 64, many)))
        .flatMap(t -> t);
  }

  private static Stream<DynamicTest> attend(DType type, int d, Sequences s) {
    var op = new Attention(1, 0.2f, s, s, Ranges.causal(s, s));
    return Stream.of(op, op.withBias()).map(a -> test(type + " " + a + " of " + d, () -> {
      var in =
          new ArrayList<>(List.of(draw(type, 1, s.rows(), d), draw(type, 2, s.rows(), d), draw(type, 3, s.rows(), d)));
      if (a.biased()) in.add(draw(DType.F32, 4, 1, s.longest(), s.longest()));
      return gradients(a, in);
    }));
  }

  /// BF16 features with F32 scalars, as mixed precision has them.
  private static Stream<DynamicTest> losses() {
    return Stream.of(new Contrastive.Sigmoid(64, false, false), new Contrastive.Softmax(64, false, false))
        .map(op -> test(op + " of BF16", () -> {
      var in = new ArrayList<>(List.of(draw(DType.BF16, 1, 30, 40), draw(DType.BF16, 2, 30, 40),
          Tensor.full(Shape.SCALAR, 3)));
      if (op instanceof Contrastive.Sigmoid) in.add(Tensor.full(Shape.SCALAR, -1));
      return gradients(op, in);
    }));
  }

  /// Rows and channels that are moved 16 bytes, or four elements, at a time.
  private static Stream<DynamicTest> wide() {
    var conv = new Fused.Conv2d(new Grid(4, 5), 1, 1);
    var depthwise = new Fused.Conv2d(new Grid(4, 5), 1, Padding.of(1), 8, true);
    var bytes = test("rows of bytes by number", () ->
        List.of(Sample.read(Draw.sample(1, new Type(DType.U8, Shape.of(9, 3)), Draw.whole(0, 255)).tensor()
            .gather(3, 1, 3)).values()));
    return Stream.concat(Stream.of(bytes), Stream.of(DType.BF16, DType.F32).flatMap(type -> Stream.of(
        test(conv + " of " + type, () -> gradients(conv, List.of(draw(type, 1, 20, 8), draw(type, 2, 3, 3, 3, 8)))),
        test(depthwise + " of " + type, () ->
        gradients(depthwise, List.of(draw(type, 1, 20, 8), draw(type, 2, 8, 3, 3, 1), draw(type, 3, 8)))),
        test("rows of 16 by number of " + type, () ->
        gradients(new Indexing.Gather(),
            List.of(draw(type, 1, 9, 16), Tensor.ofInts(Shape.of(6), 3, 1, 3, 8, 0, 3)))))));
  }

  private static void everyKernelRan() {
    var missing = new TreeSet<String>();
    for (var line : Installed.kernels().split("\n"))
      if (!ELSEWHERE.contains(line.split(" ")[1])) missing.add(line.split(" ")[0]);
    missing.removeAll(raw.device.kernels());
    assertEquals(new TreeSet<>(), missing, "kernels that nothing here runs");
  }

  private static Tensor draw(DType type, long seed, int... dims) {
    return Draw.sample(seed, new Type(type, Shape.of(dims)), Draw.uniform(-1, 1)).tensor();
  }

  private static List<double[]> gradients(Op op, List<Tensor> in) {
    return Grad.vjp(in, x -> Tensor.applyAll(op, x).subList(0, 1), y ->
        List.of(Tensor.full(y.getFirst().shape(), 1).cast(y.getFirst().dtype()))).gradients().stream()
            .filter(java.util.Objects::nonNull).map(t -> Sample.read(t).values()).toList();
  }

  private static DynamicTest test(String name, Supplier<List<double[]>> work) {
    return DynamicTest.dynamicTest(name, () -> {
      try {
        var plain = run(work);
        for (var order : Emulation.Order.values()) {
          Emulation.order(order);
          // what they report does not depend on the order, and they cost
          Emulation.check(order == Emulation.Order.FORWARD);
          var found = run(work);
          for (int i = 0; i < plain.size(); i++)
            assertArrayEquals(plain.get(i), found.get(i), order + " gives other bits: output " + i);
        }
      } catch (UnsupportedOperationException e) {
        throw new TestAbortedException(e.getMessage());
      } finally {
        Emulation.check(false);
        Emulation.order(Emulation.Order.FORWARD);
      }
    });
  }

  private static List<double[]> run(Supplier<List<double[]>> work) {
    try (var _ = Scope.open(raw.device)) { return work.get(); }
  }
}
