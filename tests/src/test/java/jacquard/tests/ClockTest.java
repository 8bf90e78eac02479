package jacquard.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// A clock that jumps changes nothing: waits, deadlines and rates are of `System.nanoTime`. What a reader is told of
/// the time of day, and signatures that hold for minutes, are all that the other clock is asked for.
class ClockTest {
  private static final Pattern WALL =
      Pattern.compile("currentTimeMillis\\(|\\bnow\\(\\)|InstantSource\\.system|new Date\\(\\)|Clock\\.system");

  @Test void nothingWaitsByTheTimeOfDay() throws IOException {
    var found = new TreeSet<String>();
    for (var room : new String[] {"tensor", "autograd", "kernels", "emoji", "clip"})
      try (var all = Files.walk(Path.of("..", room, "src/main/java"))) {
        for (var f : all.filter(f -> f.toString().endsWith(".java")).toList())
          if (WALL.matcher(Files.readString(f)).find()) found.add(f.getFileName().toString());
      }
    assertEquals("[EventLog.java, FolderLock.java, S3.java]", found.toString());
  }
}
