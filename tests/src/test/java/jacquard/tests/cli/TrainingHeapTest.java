package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.tests.Fork;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The heap of a training is nearly full of arrays that live, and grows for nothing else. Neither do what a step makes
/// and leaves let it grow, nor does the collector look through what lives at every step: between two processes with a
/// core each, that halved their speed.
class TrainingHeapTest {
  private static final int LIVE = 300, STEPS = 200, MB = 1 << 20;

  /// Prints the concurrent collections, and how many MB the heap took at last.
  static final class Steps {
    static volatile Object made;

    public static void main(String[] args) {
      var live = new ArrayList<float[]>();
      for (int i = 0; i < LIVE; i++) live.add(new float[MB / 4 - 16]);
      for (int step = 0; step < STEPS; step++) {
        made = new float[MB / 2];
        for (int i = 0; i < 200; i++) made = new byte[10_000];
      }
      var concurrent = ManagementFactory.getGarbageCollectorMXBeans().stream()
          .filter(b -> b.getName().contains("Concurrent")).mapToLong(b -> b.getCollectionCount()).sum();
      System.out.println(concurrent + " " + Runtime.getRuntime().totalMemory() / MB + " " + live.size());
    }
  }

  @Test void looksForGarbageRarelyAndStaysSmall() throws IOException, InterruptedException {
    var asked = new ProcessBuilder("bash", Path.of("..", "jacquard").toString(), "--java", "train").start();
    var flags = List.of(new String(asked.getInputStream().readAllBytes()).lines().toList().get(1).split(" "));
    var said = Fork.run(flags, Steps.class).getLast().split(" ");
    long looked = Long.parseLong(said[0]), took = Long.parseLong(said[1]);
    assertTrue(looked <= 4, looked + " concurrent collections in " + STEPS + " steps");
    assertTrue(took < 2 * LIVE, "the heap took " + took + " MB for " + LIVE + " MB that live");
  }
}
