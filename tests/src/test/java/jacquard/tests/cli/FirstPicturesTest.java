package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import jacquard.tests.Fork;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A decoded picture is an array that lives for a moment. The first ones do not go through half of the heap that a
/// command begins with before memory is used again: memory that was never touched takes several times the decoding.
class FirstPicturesTest {
  private static final int PICTURES = 400, BYTES = 640 * 480 * 3;

  /// Prints how many MB pictures took together, at most.
  static final class Pictures {
    static volatile byte[] picture;

    public static void main(String[] args) {
      for (int i = 0; i < PICTURES; i++) picture = new byte[BYTES];
      System.out.println(ManagementFactory.getMemoryPoolMXBeans().stream().filter(p -> p.getName().contains("Old"))
          .mapToLong(p -> p.getPeakUsage().getUsed()).sum() >> 20);
    }
  }

  @Test void memoryOfPicturesIsUsedAgain() throws IOException, InterruptedException {
    assumeTrue(System.getProperty("os.name").equals("Linux"));
    var asked = new ProcessBuilder("bash", Path.of("..", "jacquard").toString(), "--java").start();
    var lines = new String(asked.getInputStream().readAllBytes()).lines().toList();
    var flags = new ArrayList<>(List.of(lines.get(1).split(" ")));
    flags.add("-Xms1g");
    long most = Long.parseLong(Fork.run(flags, Pictures.class).getLast());
    assertTrue(most < 200, "pictures of 0.9 MB took " + most + " MB of a heap of 1 GB, expected a tenth and a little");
  }
}
