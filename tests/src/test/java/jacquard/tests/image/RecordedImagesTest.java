package jacquard.tests.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.tests.verify.Report;
import jacquard.tests.verify.input.ImagesFamily;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// Every recorded picture and operation.
class RecordedImagesTest {
  @Test void equalsWhatWasRecorded() throws Exception {
    var lines = new ByteArrayOutputStream();
    var report = new Report(new PrintStream(lines, true, StandardCharsets.UTF_8));
    var family = new ImagesFamily();
    family.verify(Path.of(RecordedImagesTest.class.getResource("/fixtures/" + family.name()).toURI()), report);
    assertEquals(0, report.failedCount(), () -> lines.toString(StandardCharsets.UTF_8).lines().filter(line ->
        line.startsWith("FAILED")).toList().toString());
    assertEquals(169, report.passedCount(), "cases");
  }
}
