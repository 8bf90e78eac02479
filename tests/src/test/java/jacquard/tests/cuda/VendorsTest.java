package jacquard.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.image.Augmentation;
import jacquard.clip.train.Compute;
import jacquard.tensor.Device;
import jacquard.tensor.Padding;
import jacquard.tensor.Scope;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Op;
import jacquard.tests.Conformance;
import jacquard.tests.OpSpec;
import jacquard.tests.OpSpecs;
import jacquard.tests.Placement;
import jacquard.tests.train.Setup;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// cuBLAS and cuDNN on request: stand-ins for the two under the unchanged natives of JCublas and JCudnn, or, on a GPU,
/// what is installed.
class VendorsTest {
  private static final int DEVICE = 2;
  private static final String GEMM = "cublas 12.6.0", CONV = "cudnn 8.9.5";

  @BeforeAll static void there() { Raw.emulationNeeded(); }

  private static Raw with(String work, String library) {
    var raw = new Raw(DEVICE);
    raw.device.use(work, library);
    return raw;
  }

  /// Every product and convolution of the specs: on dense inputs and views, F32 and 16-bit, against the reference in
  /// double.
  @TestFactory Stream<DynamicTest> meansWhatTheReferenceSays() {
    return OpSpecs.all().stream().filter(s -> !s.large() && (product(s) || convolution(s)))
        .map(s -> DynamicTest.dynamicTest(s.name(), () -> {
      try (var raw = with(product(s) ? "gemm" : "conv", product(s) ? "cublas" : "cudnn")) {
        new Conformance(raw.device).check(s);
      }
    }));
  }

  private static boolean product(OpSpec s) { return s.op() instanceof Contraction || s.op() instanceof Fused.Linear; }
  private static boolean convolution(OpSpec s) {
    return s.op() instanceof Fused.Conv2d || s.op() instanceof Adjoint.Conv2dInput
        || s.op() instanceof Adjoint.Conv2dWeight;
  }

  /// What the library does, no kernel of ours does: a product is none, one with an epilogue the epilogue's.
  @Test void theLibraryDoesIt() {
    for (var s : OpSpecs.all()) {
      if (s.large() || !product(s) && !convolution(s) || s.draw(1).stream().anyMatch(x -> x.values().length == 0))
        continue;
      try (var raw = with("gemm", "cublas")) {
        raw.device.use("conv", "cudnn");
        assertEquals(Map.of("gemm", GEMM, "conv", CONV), raw.device.used());
        try (var _ = Scope.open(raw.device)) { new Conformance(raw.device).run(s.op(), s.draw(1), Placement.DENSE); }
        if (convolution(s) && ours(s.op())) continue;
        boolean epilogue = s.op() instanceof Fused.Linear l
            && (l.bias() || l.added() || l.activation() != Activation.NONE);
        assertEquals(epilogue ? 1 : 0, raw.device.launches(), s.name());
      }
    }
  }

  /// Left to our kernels: groups, a bias, padding that is not the same on all sides.
  private static boolean ours(Op op) {
    var c = op instanceof Adjoint.Conv2dInput(var i) ? i : op instanceof Adjoint.Conv2dWeight(var w, _) ? w
        : (Fused.Conv2d) op;
    return c.groups() > 1 || c.biased() || !c.padding().equals(Padding.of(c.padding().top()));
  }

  /// Asked back to our kernels, a device gives their bits.
  @Test void andBack() {
    var s = OpSpecs.all().stream().filter(x -> !x.large() && product(x) && x.draw(1).getFirst().values().length > 1000)
        .findFirst().orElseThrow();
    try (var raw = new Raw(DEVICE); var _ = Scope.open(raw.device)) {
      var ours = new Conformance(raw.device).run(s.op(), s.draw(1), Placement.DENSE).getFirst().values();
      raw.device.use("gemm", "cublas");
      raw.device.use("gemm", "jacquard");
      assertEquals(Map.of(), raw.device.used());
      assertArrayEquals(ours, new Conformance(raw.device).run(s.op(), s.draw(1), Placement.DENSE).getFirst().values());
    }
  }

  @Test void whatThereIsNot() {
    try (var raw = new Raw(DEVICE)) {
      assertEquals(List.of(), raw.device.libraries().stream()
          .filter(l -> l.missing() != null && !l.work().equals("sums")).toList());
      for (var wrong : List.of(List.of("gemm", "cudnn"), List.of("conv", "mkl"), List.of("attention", "cudnn"))) {
        var message = assertThrows(IllegalArgumentException.class, () -> raw.device.use(wrong.get(0), wrong.get(1)))
            .getMessage();
        assertTrue(message.contains("library " + wrong.get(1) + " for " + wrong.get(0))
            && message.contains("jacquard or cublas"), message);
      }
    }
  }

  private static Setup setup(Device device) {
    return new Setup("""
        {"embed_dim": 8, "vision_cfg": {"image_size": 16, "layers": 1, "width": 8, "head_width": 8, "patch_size": 8},
         "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 8, "heads": 1, "layers": 1}}""")
        .batch(4).schedule(new Schedule.Constant(1e-3, 0)).augmentation(Augmentation.DEFAULT).on(Compute.on(device));
  }

  private static Map<String, String> libraries(Path folder) throws IOException {
    try (var file = Safetensors.open(folder.resolve("resume.safetensors"))) {
      var r = new TreeMap<>(file.metadata());
      r.keySet().removeIf(k -> !k.startsWith("library."));
      return r;
    }
  }

  private interface Work { void run() throws IOException; }

  private static String said(Work work) throws IOException {
    var err = System.err;
    var all = new ByteArrayOutputStream();
    try (var to = new PrintStream(all, true, StandardCharsets.UTF_8)) {
      System.setErr(to);
      work.run();
    } finally { System.setErr(err); }
    return all.toString(StandardCharsets.UTF_8);
  }

  /// A checkpoint says who computed; a run that goes on with others says so, one that goes on with the same does not.
  @Test void theChoiceIsInTheCheckpoint(@TempDir Path folder) throws IOException {
    try (var raw = with("gemm", "cublas")) {
      raw.device.use("conv", "cudnn");
      setup(raw.device).begin(folder, 1);
      assertEquals(Map.of("library.gemm", GEMM, "library.conv", CONV), libraries(folder));
      assertTrue(!said(() -> setup(raw.device).resume(folder, 2)).contains("other bits"));
      raw.device.use("gemm", "jacquard");
      raw.device.use("conv", "jacquard");
      var text = said(() -> setup(raw.device).resume(folder, 3));
      assertTrue(text.contains("made with conv by " + CONV + ", gemm by " + GEMM
          + ", this goes on with the device's own kernels: other bits than without the stop"), text);
      assertEquals(Map.of(), libraries(folder));
    }
  }
}
