package jacquard.tests.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.report.log.Progress;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static final long SECOND = 1_000_000_000L;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
  private final AtomicLong time = new AtomicLong(5 * SECOND);

  private Progress.Setup setup(boolean terminal) {
    return Progress.of("epoch 1/2", 1000).unit("samples").to(out, terminal).every(Duration.ofSeconds(10))
        .clock(time::get);
  }

  private String text() { return bytes.toString(StandardCharsets.UTF_8); }

  @Test void plainLinesWithTheFiguresEveryTenSeconds() {
    try (var progress = setup(false).open()) {
      for (int second = 1; second <= 25; second++) {
        time.addAndGet(SECOND);
        progress.show("loss", 1.25).show("lr", 1e-4).spent(SECOND / 4, SECOND * 3 / 4).advance(20);
      }
    }
    assertEquals("""
        epoch 1/2  20.0%  200/1,000 samples  20.0/s  left 0:40  data 25% compute 75%  loss 1.250  lr 1e-4
        epoch 1/2  40.0%  400/1,000 samples  20.0/s  left 0:30  data 25% compute 75%  loss 1.250  lr 1e-4
        epoch 1/2  50.0%  500/1,000 samples  20.0/s  stopped after 0:25  data 25% compute 75%  loss 1.250  lr 1e-4
        """.replace("\n", System.lineSeparator()), text());
  }

  @Test void theRateForgetsASlowStart() {
    try (var progress = setup(false).open()) {
      time.addAndGet(60 * SECOND);
      progress.advance(1);
      for (int second = 1; second <= 40; second++) {
        time.addAndGet(SECOND);
        progress.advance(20);
      }
      assertTrue(text().contains("20.0/s  left 0:10"), text());
    }
    assertTrue(text().lines().toList().getLast().contains("801/1,000 samples  8.01/s  stopped after 1:40"), text());
  }

  @Test void aTerminalIsRedrawnInPlaceAtMostTenTimesASecond() {
    try (var progress = setup(true).open()) {
      for (int i = 0; i < 1000; i++) {
        time.addAndGet(SECOND / 1000);
        progress.advance(1);
      }
    }
    long drawn = text().chars().filter(c -> c == '\r').count();
    assertTrue(drawn >= 9 && drawn <= 12, "drawn " + drawn + " times in a second");
    assertEquals(1, text().chars().filter(c -> c == '\n').count(), "one line");
    assertTrue(text().contains("█"), text());
    assertTrue(text().contains("100.0%  1,000/1,000 samples  1,000/s  took 0:01"), text());
  }

  @Test void asciiWhereBlocksCannotBeShown() {
    var ascii = new PrintStream(bytes, true, StandardCharsets.US_ASCII);
    try (var progress = setup(true).to(ascii, true).open()) {
      progress.advance(500);
    }
    assertTrue(text().contains("[############------------]  50.0%"), text());
    assertTrue(text().chars().allMatch(c -> c < 128));
  }

  @Test void aResumedRunCountsOnlyItsOwnWorkForTheRate() {
    try (var progress = setup(false).from(600).open()) {
      time.addAndGet(10 * SECOND);
      progress.advance(100);
    }
    assertTrue(text().startsWith("epoch 1/2  70.0%  700/1,000 samples  10.0/s  left 0:30"), text());
  }

  @Test void oddInputNeverThrows() {
    var closed = new PrintStream(bytes);
    closed.close();
    for (var setup : new Progress.Setup[] {setup(false), setup(true), setup(true).to(closed, true),
        Progress.of("a\nb\033[2J", -1).to(out,
        true).clock(time::get)}) {
      var progress = setup.open();
      progress.advance(-5).advance(Integer.MAX_VALUE).spent(-1, -1).show("loss", Double.NaN).show("x", (String) null)
          .show("y",
          Double.NEGATIVE_INFINITY);
      progress.say("a message");
      time.addAndGet(SECOND);
      progress.advance(0);
      progress.close();
      progress.close();
      progress.advance(1);
    }
    assertFalse(text().contains("\033[2J"), "an escape in a label is not passed on");
  }

  @Test void countsOfManyThreadsAddUp() {
    try (var progress = setup(false).open()) {
      IntStream.range(0, 1000).parallel().forEach(i -> progress.show("i", i).advance(1));
    }
    assertTrue(text().startsWith("epoch 1/2 100.0%  1,000/1,000 samples"), text());
  }
}
