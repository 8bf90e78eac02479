package jacquard.tests.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.report.log.MetricLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricLogTest {
  @TempDir Path folder;

  @Test void oneObjectALine() throws IOException {
    var file = folder.resolve("run/metrics.jsonl");
    try (var log = MetricLog.create(file)) {
      var values = new LinkedHashMap<String, Object>();
      values.put("loss", 1.5);
      values.put("note", "line\nbreak");
      values.put("scale", Double.NaN);
      log.write(1, values);
      assertEquals("{\"step\":1,\"loss\":1.5,\"note\":\"line\\nbreak\",\"scale\":\"NaN\"}\n", Files.readString(file),
          "on disk before the log is closed");
    }
    var entry = MetricLog.read(file).getFirst();
    assertEquals(1, entry.step());
    assertEquals(List.of("loss", "note", "scale"), List.copyOf(entry.values().keySet()));
    assertEquals(1.5, entry.number("loss"));
    assertTrue(Double.isNaN(entry.number("scale")));
  }

  @Test void resumingForgetsLaterStepsAndAHalfLine() throws IOException {
    var file = folder.resolve("metrics.jsonl");
    try (var log = MetricLog.create(file)) {
      for (int step = 10; step <= 50; step += 10) log.write(step, Map.of("loss", step / 10.0));
    }
    Files.writeString(file, Files.readString(file) + "{\"step\":60,\"lo");
    try (var log = MetricLog.resume(file, 30)) {
      assertEquals("{\"step\":10,\"loss\":1.0}\n{\"step\":20,\"loss\":2.0}\n{\"step\":30,\"loss\":3.0}\n",
          Files.readString(file));
      log.write(40, Map.of("loss", -1));
    }
    var series = MetricLog.series(MetricLog.read(file), "loss");
    assertArrayEquals(new double[] {10, 20, 30, 40}, series.x());
    assertArrayEquals(new double[] {1, 2, 3, -1}, series.y());
    try (var listed = Files.list(folder)) {
      assertEquals(List.of(file), listed.toList(), "no draft is left behind");
    }
  }

  @Test void resumingWithoutALogBeginsOne() throws IOException {
    var file = folder.resolve("metrics.jsonl");
    try (var log = MetricLog.resume(file, 30)) {
      log.write(31, Map.of());
    }
    assertEquals("{\"step\":31}\n", Files.readString(file));
  }

  @Test void aBadLineIsNamedAndTheFileLeftAlone() throws IOException {
    var file = folder.resolve("metrics.jsonl");
    String content = "{\"step\":1}\n{\"loss\":2}\n{\"step\":3}\n";
    Files.writeString(file, content);
    for (var failure : List.of(assertThrows(IOException.class, () -> MetricLog.read(file)),
        assertThrows(IOException.class,
        () -> MetricLog.resume(file, 1)))) {
      assertTrue(failure.getMessage().contains("metrics.jsonl line 2"), failure.getMessage());
    }
    assertEquals(content, Files.readString(file));
  }

  @Test void refusesToOverwriteAndToHideTheStep() throws IOException {
    var file = folder.resolve("metrics.jsonl");
    try (var log = MetricLog.create(file)) {
      assertThrows(IllegalArgumentException.class, () -> log.write(1, Map.of("step", 2)));
    }
    assertThrows(IOException.class, () -> MetricLog.create(file));
  }
}
