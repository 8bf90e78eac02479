package jacquard.tests.cli.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.tests.cli.Launcher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs that are killed or stopped, in JVMs of their own, end with the bytes of one that was left alone.
class KillTest {
  private static final int STEPS = 240, KILLS = 4;

  private static void awaitSteps(Path run, long steps, Process p, Path output) throws Exception {
    for (long until = System.nanoTime() + TimeUnit.MINUTES.toNanos(3); lines(run) < steps; ) {
      if (!p.isAlive() || System.nanoTime() > until)
        throw new AssertionError("no step " + steps + " came, the run said: " + Files.readString(output));
      Thread.sleep(1);
    }
  }

  private static long lines(Path run) throws IOException {
    var file = run.resolve("metrics.jsonl");
    if (!Files.exists(file)) return 0;
    try (var l = Files.lines(file)) { return l.count(); }
  }

  private static Object key(Path run) throws IOException {
    var file = run.resolve("metrics.jsonl");
    return Files.exists(file) ? Files.readAttributes(file, BasicFileAttributes.class).fileKey() : "none";
  }

  private static long saved(Path run) throws IOException {
    if (!Files.exists(run.resolve("resume.safetensors"))) return 0;
    try (var file = Safetensors.open(run.resolve("resume.safetensors"))) {
      return Long.parseLong(file.metadata().get("step"));
    }
  }

  private static void same(Path whole, Path parts) throws IOException {
    for (var f : List.of("metrics.jsonl", "last/open_clip_model.safetensors", "last/open_clip_config.json",
        "best/open_clip_model.safetensors", "best/open_clip_config.json", "resume.safetensors"))
      assertEquals(-1, Files.mismatch(whole.resolve(f), parts.resolve(f)), f);
  }

  /// Killed at moments that nobody chose, once before the first checkpoint, then up to ten steps and some milliseconds
  /// after a new one, amid later steps and savings; resumed with nothing but `--resume`. What was drawn is printed with
  /// the seed; `-Djacquard.kill.seed=N` draws it again.
  @Test void killedAtAnyMomentItEndsWithTheSameBytes(@TempDir Path folder) throws Exception {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 24);
    Path whole = folder.resolve("runs/whole"), parts = folder.resolve("runs/parts"), output =
        folder.resolve("output.txt");
    assertEquals(0, Launcher.run(Launcher.train(folder, pictures, "whole", STEPS)).status());
    long seed = Long.getLong("jacquard.kill.seed", new Random().nextInt(100_000));
    var random = new Random(seed);
    var moments = new StringBuilder(" with -Djacquard.kill.seed=" + seed + ":");
    String[] begin = Launcher.train(folder, pictures, "parts", STEPS), resume =
        {"train", "--logs", folder.resolve("runs").toString(), "--name", "parts", "--resume"};
    int killed = 0;
    for (int k = 0; k < KILLS; k++) {
      long from = saved(parts), more = 1 + random.nextInt(10), milliseconds = random.nextInt(50);
      if (from == STEPS) break;
      var before = key(parts);
      var p = Launcher.start(output, List.of(), k == 0 ? begin : resume);
      // the log is rewritten when a run goes on
      while (k > 0 && before.equals(key(parts)) && p.isAlive()) Thread.sleep(1);
      if (k == 0) awaitSteps(parts, 2, p, output);
      else {
        while (saved(parts) == from && p.isAlive()) Thread.sleep(1);
        awaitSteps(parts, Math.min(STEPS, saved(parts) + more), p, output);
        Thread.sleep(milliseconds);
      }
      p.destroyForcibly().waitFor();
      moments.append(" at step %d (saved %d%s)".formatted(lines(parts), saved(parts), k == 0 ? ""
          : ", drawn: %d steps and %d ms after a checkpoint".formatted(more, milliseconds)));
      killed++;
    }
    System.out.println("killed" + moments);
    assertTrue(killed >= 2, "the machine was too fast to kill a run twice:" + moments);
    assertTrue(saved(parts) > 0, "no kill came after a checkpoint:" + moments);
    var last = Launcher.run(resume);
    assertEquals(0, last.status(), last.text());
    same(whole, parts);
  }

  /// Shards read in lanes, killed inside an epoch, before and after a checkpoint, and resumed: the same keys and bits,
  /// also in an order of drawn shards.
  @Test void killedInsideAnEpochOfShards(@TempDir Path folder) throws Exception {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 60);
    var out = folder.resolve("out");
    var made = Launcher.run("shards", pictures.toString(), out.toString(), "--size", "7");
    assertEquals(0, made.status(), made.text());
    for (var order : List.of(List.of("--shard-lanes", "4", "--shard-window", "5"),
        List.of("--dataset-resampled", "--train-num-samples", "100"))) {
      Path whole = folder.resolve("runs/whole" + order.size() + order.getFirst().hashCode()), parts =
          folder.resolve("runs/parts" + order.getFirst().hashCode()), output = folder.resolve("output.txt");
      var begin = new ArrayList<>(List.of(Launcher.train(folder, pictures, whole.getFileName().toString(), 90)));
      begin.set(begin.indexOf("--train-data") + 1, out + "/{00..08}.tar");
      begin.addAll(order);
      var ended = Launcher.run(begin.toArray(String[]::new));
      assertEquals(0, ended.status(), ended.text());
      begin.set(begin.indexOf("--name") + 1, parts.getFileName().toString());
      var p = Launcher.start(output, List.of(), begin.toArray(String[]::new));
      // 7 steps an epoch, saved at each fifth
      awaitSteps(parts, 13, p, output);
      p.destroyForcibly().waitFor();
      assertTrue(lines(parts) < 90, "the machine was too fast to kill the run");
      var other = Launcher.run("train", "--resume", parts.toString(), "--shard-window", "6");
      assertEquals(1, other.status());
      assertTrue(other.text().contains("was made with the order of data "), other.text());
      var last = Launcher.run("train", "--resume", parts.toString());
      assertEquals(0, last.status(), last.text());
      same(whole, parts);
    }
  }

  /// SIGTERM: the step in progress ends, a checkpoint and a report are written, and going on gives the bytes of the
  /// whole run.
  @Test void stoppedItSavesAndReports(@TempDir Path folder) throws Exception {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 24);
    Path whole = folder.resolve("runs/whole"), parts = folder.resolve("runs/parts"), output =
        folder.resolve("output.txt");
    assertEquals(0, Launcher.run(Launcher.train(folder, pictures, "whole", STEPS)).status());
    var p = Launcher.start(output, List.of(), Launcher.train(folder, pictures, "parts", STEPS, 1000));
    awaitSteps(parts, 9, p, output);
    p.destroy();
    assertTrue(p.waitFor(2, TimeUnit.MINUTES));
    assertEquals(128 + 15, p.exitValue(), Files.readString(output));
    assertTrue(Files.readString(output).contains("--resume goes on from there"), Files.readString(output));
    assertEquals(lines(parts), saved(parts));
    assertTrue(saved(parts) >= 9 && saved(parts) < STEPS, "stopped at " + saved(parts));
    assertTrue(Files.size(parts.resolve("report.html")) > 1000 && Files.size(parts.resolve("report.png")) > 1000);
    assertFalse(Files.exists(parts.resolve("resume.safetensors.tmp")));
    var last = Launcher.run("train", "--resume", parts.toString());
    assertEquals(0, last.status(), last.text());
    same(whole, parts);
  }

  @Test void twoRunsCannotShareAFolder(@TempDir Path folder) throws Exception {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 24);
    Path run = folder.resolve("runs/one"), output = folder.resolve("output.txt");
    String[] train = Launcher.train(folder, pictures, "one", 100_000);
    var p = Launcher.start(output, List.of(), train);
    try {
      awaitSteps(run, 6, p, output);
      for (var second : List.of(Launcher.run(train), Launcher.run("train", "--resume", run.toString()))) {
        assertEquals(1, second.status());
        assertTrue(second.text().contains("one: another run uses this folder (process " + p.pid()), second.text());
      }
      assertTrue(p.isAlive());
    } finally { p.destroyForcibly().waitFor(); }
    var third = Launcher.run(train);
    assertEquals(1, third.status());
    assertTrue(third.text().contains("holds a run already; go on with --resume"), third.text());
  }
}
