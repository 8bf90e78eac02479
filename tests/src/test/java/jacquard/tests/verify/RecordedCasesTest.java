package jacquard.tests.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// The recorded values of the real OpenCLIP, family by family.
class RecordedCasesTest {
  private static final Path FOLDER = Path.of("src/main/resources/fixtures");

  @TestFactory List<DynamicTest> families() {
    return Verify.FAMILIES.stream().map(f -> DynamicTest.dynamicTest(f.name(), () -> {
      var out = new ByteArrayOutputStream();
      var report = new Report(new PrintStream(out));
      f.verify(FOLDER.resolve(f.name()), report);
      assertEquals(0, report.failedCount(), out.toString());
      assertTrue(report.passedCount() > 0, "no case ran");
    })).toList();
  }

  @Test void aWrongValueFails() {
    var report = new Report(new PrintStream(new ByteArrayOutputStream()));
    report.check("nan", Double.NaN, 1);
    report.check("far", 2, 1);
    assertEquals("0 passed, 2 failed, 0 skipped", report.toString());
  }
}
