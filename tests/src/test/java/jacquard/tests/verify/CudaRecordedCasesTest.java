package jacquard.tests.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.tensor.Device;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.TestAbortedException;

/// The recorded models, losses, optimizers and trainings on the GPU, or the emulated one: the same cases with the same
/// tolerances.
class CudaRecordedCasesTest {
  private static final Path FOLDER = Path.of("src/main/resources/fixtures");

  @BeforeAll static void isThere() {
    var why = Device.unavailable().get("cuda");
    if (why != null) throw new TestAbortedException("no CUDA device: " + why);
    System.setProperty("jacquard.device", "cuda");
  }

  @AfterAll static void asBefore() { System.clearProperty("jacquard.device"); }

  @ParameterizedTest @ValueSource(strings = {"losses", "models", "train", "checkpoints"}) void family(String name)
      throws IOException {
    var out = new ByteArrayOutputStream();
    var report = new Report(new PrintStream(out));
    for (var f : Verify.FAMILIES) if (f.name().equals(name)) f.verify(FOLDER.resolve(name), report);
    assertEquals(0, report.failedCount(), out.toString());
    assertTrue(report.passedCount() > 0, "no case ran");
    assertEquals(0, Device.named("cuda").live().blocks());
  }
}
