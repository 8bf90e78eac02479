package jacquard.tests.cli.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import jacquard.clip.cli.Main;
import jacquard.clip.settings.Build;
import jacquard.tests.cli.Launcher;
import jacquard.tests.ranks.Mpirun;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `mpirun … train` as a user meets it.
@Timeout(240)
class LaunchTest {
  private static final int STEPS = 60;

  private static List<String> processes(int count, String... train) {
    return Mpirun.rank(count, Map.of(), Main.class, train);
  }

  /// A rank is killed inside an epoch of shards: all end, saying why, and the run that goes on gives the bytes of two
  /// ranks in one JVM that nobody killed and that keep all parameters. Rank 0 alone speaks; each writes its part of the
  /// checkpoint that is gone on from.
  @Test void killedProcessesGoOnToTheBytesOfThreads(@TempDir Path folder) throws Exception {
    assumeTrue(Mpirun.isThere(), Mpirun.MISSING);
    var pictures = Launcher.pictures(folder.resolve("pictures"), 60);
    var shards = folder.resolve("shards");
    assertEquals(0, Launcher.run("shards", pictures.toString(), shards.toString(), "--size", "7").status());
    Path whole = folder.resolve("runs/whole"), parts = folder.resolve("runs/parts");
    var command = new ArrayList<>(List.of(Launcher.train(folder, pictures, "whole", STEPS)));
    command.set(command.indexOf("--train-data") + 1, shards + "/{00..08}.tar");
    command.set(command.indexOf("--batch-size") + 1, "4");
    command.addAll(List.of("--grad-clip-norm", "0"));
    var two = new ArrayList<>(command);
    two.addAll(List.of("--ranks", "2"));
    var ended = Launcher.run(two.toArray(String[]::new));
    assertEquals(0, ended.status(), ended.text());
    command.set(command.indexOf("--name") + 1, "parts");
    command.addAll(List.of("--fsdp", "--fsdp-checkpoint", "sharded"));
    var output = folder.resolve("output.txt");
    var p = Mpirun.start(output, List.of(processes(2, command.toArray(String[]::new))));
    for (long until = System.nanoTime() + TimeUnit.MINUTES.toNanos(2); lines(parts) < 12; Thread.sleep(5))
      assertTrue(p.isAlive() && System.nanoTime() < until, Files.readString(output));
    var ranks = p.descendants().filter(d -> d.info().command().orElse("").endsWith("java")).toList();
    assertEquals(2, ranks.size());
    ranks.getLast().destroyForcibly();
    assertTrue(p.waitFor(1, TimeUnit.MINUTES));
    var text = Files.readString(output);
    assertNotEquals(0, p.exitValue(), text);
    assertTrue(text.matches("(?s).*jacquard: rank [01] of 2: rank [01] has ended \\(process \\d+\\).*"), text);
    // mpirun does not wait for those that it kills
    for (var r : ranks) r.onExit().get(20, TimeUnit.SECONDS);
    var last = Mpirun.of(folder, List.of(processes(2, "train", "--resume", parts.toString(),
        "--fsdp-checkpoint", "full")));
    assertEquals(0, last.status(), last.text());
    assertEquals(1, last.text().lines().filter(l -> l.contains("minutes; see")).count(), last.text());
    assertEquals(STEPS, lines(parts));
    for (var f : List.of("resume.safetensors", "last/open_clip_model.safetensors", "best/open_clip_model.safetensors"))
      assertEquals(-1, Files.mismatch(whole.resolve(f), parts.resolve(f)), f);
  }

  /// What a step would take, by mode; nothing is trained.
  @Test void aDryRunSaysWhatAStepTakes(@TempDir Path folder) throws Exception {
    var command = new ArrayList<>(List.of(Launcher.train(folder, Launcher.pictures(folder.resolve("pictures"), 40),
        "dry", 8)));
    command.addAll(List.of("--dry-run", "--ranks", "4"));
    var ended = Launcher.run(command.toArray(String[]::new));
    assertEquals(0, ended.status(), ended.text());
    for (var line : List.of("4 ranks, 8 pairs a rank and micro-batch, fp32", "--zero 0", "--zero 1", "--zero 2",
        "--zero 3", "GFLOP a pair forwards and backwards"))
      assertTrue(ended.text().contains(line), ended.text());
    assertFalse(Files.exists(folder.resolve("runs")));
    for (var wrong : List.of("--zero=4", "--fsdp-checkpoint=sharded", "--fsdp-checkpoint=none")) {
      command.set(command.size() - 1, "1");
      command.add(wrong);
      var refused = Launcher.run(command.toArray(String[]::new));
      assertEquals(1, refused.status(), refused.text());
      assertTrue(refused.text().contains(wrong.replace('=', ' ')), refused.text());
      command.removeLast();
    }
  }

  private static long lines(Path run) throws IOException {
    var file = run.resolve("metrics.jsonl");
    if (!Files.exists(file)) return 0;
    try (var l = Files.lines(file)) { return l.count(); }
  }

  /// Before the first step, with what differs, and no folder is left.
  @Test void ranksThatDifferAreRefused(@TempDir Path folder) throws Exception {
    assumeTrue(Mpirun.isThere(), Mpirun.MISSING);
    Path a = Files.createDirectories(folder.resolve("a")), b = Files.createDirectories(folder.resolve("b"));
    Launcher.pictures(a.resolve("pictures"), 24);
    Launcher.pictures(b.resolve("pictures"), 23);
    var train = new ArrayList<>(List.of(Launcher.train(folder, Path.of("pictures"), "run", 8)));
    var other = new ArrayList<>(train);
    other.addAll(List.of("--lr", "1e-3"));
    for (var at : List.of(a, b)) {
      var first = new ArrayList<>(List.of("-wdir", a.toString()));
      first.addAll(processes(1, train.toArray(String[]::new)));
      var second = new ArrayList<>(List.of("-wdir", at.toString()));
      second.addAll(processes(1, (at == a ? other : train).toArray(String[]::new)));
      var ended = Mpirun.of(folder, List.of(first, second));
      assertEquals(1, ended.status(), ended.text());
      assertTrue(ended.text().contains("ranks 0 and 1 were not started alike. " + (at == a
          ? "command line: rank 0 has nothing there, rank 1 has --lr 1e-3" : "data: rank 0 has 24 rows, captions ")),
          ended.text());
      assertFalse(Files.exists(folder.resolve("runs")), ended.text());
    }
  }

  /// What each rank reads for itself: weights that differ are found before the first step, and so is another version;
  /// of what one rank lacks all are told, in words.
  @Test void filesAndVersionsThatDifferAreRefused(@TempDir Path folder) throws Exception {
    assumeTrue(Mpirun.isThere(), Mpirun.MISSING);
    Path a = Files.createDirectories(folder.resolve("a")), b = Files.createDirectories(folder.resolve("b"));
    for (var at : List.of(a, b)) {
      Launcher.pictures(at.resolve("pictures"), 24);
      assertEquals(0, Launcher.run(Launcher.train(folder, at.resolve("pictures"), at.getFileName().toString(),
          at == a ? 3 : 4)).status());
      Files.move(folder.resolve("runs").resolve(at.getFileName()).resolve("last"), at.resolve("w"));
    }
    var train = new ArrayList<>(List.of(Launcher.train(folder, Path.of("pictures"), "run", 4)));
    train.set(train.indexOf("--model"), "--pretrained");
    train.set(train.indexOf("--pretrained") + 1, "w");
    var first = new ArrayList<>(List.of("-wdir", a.toString()));
    first.addAll(processes(1, train.toArray(String[]::new)));
    var second = new ArrayList<>(first);
    second.set(1, b.toString());
    var ended = Mpirun.of(folder, List.of(first, second));
    assertEquals(1, ended.status(), ended.text());
    assertTrue(ended.text().contains("were not started alike. files: rank 0 has open_clip_model.safetensors of "),
        ended.text());
    Files.delete(b.resolve("w/open_clip_config.json"));
    Files.delete(b.resolve("w/open_clip_model.safetensors"));
    Files.delete(b.resolve("w"));
    var absent = Mpirun.of(folder, List.of(first, second));
    assertTrue(absent.status() == 1 && absent.text().contains("rank 0 of 2: rank 1 failed: w: no such file or folder"),
        absent.text());
    // a build that says another version of itself, before the real one
    second.set(1, a.toString());
    int classes = second.indexOf("-cp") + 1;
    second.set(classes, otherVersion(folder) + java.io.File.pathSeparator + second.get(classes));
    var versions = Mpirun.of(folder, List.of(first, second));
    assertTrue(versions.status() == 1 && versions.text().contains("version: rank 0 has " + Build.VERSION)
        && versions.text().contains(", rank 1 has " + OTHER), versions.text());
    assertFalse(Files.exists(folder.resolve("runs/run")));
  }

  private static final String OTHER = Build.VERSION.replace('0', '7');

  /// A folder with the class that knows the version, another of the same length in it.
  private static Path otherVersion(Path folder) throws IOException {
    var name = Build.class.getName().replace('.', '/') + ".class";
    byte[] code;
    try (var in = Build.class.getResourceAsStream("Build.class")) { code = in.readAllBytes(); }
    var text = new String(code, StandardCharsets.ISO_8859_1).replace(Build.VERSION, OTHER);
    var to = folder.resolve("other").resolve(name);
    Files.createDirectories(to.getParent());
    Files.write(to, text.getBytes(StandardCharsets.ISO_8859_1));
    return folder.resolve("other");
  }

  /// What starts processes that do not see each other is told so, or each is a run of its own.
  @Test void ranksThatMpiDoesNotSeeAreRefused(@TempDir Path folder) throws Exception {
    var train = Launcher.train(folder, Launcher.pictures(folder.resolve("pictures"), 24), "run", 4);
    var output = folder.resolve("output.txt");
    var env = List.of("env", "RANK=1", "WORLD_SIZE=2", "LOCAL_RANK=1");
    assertEquals(1, Launcher.start(output, env, train).waitFor());
    var text = Files.readString(output);
    assertTrue(text.contains("torchrun started 2 processes, and Open MPI sees 1: start them with mpirun -n 2")
        || text.contains("no MPI: libmpi.so.40 cannot be loaded"), text);
    var alone = new ArrayList<>(List.of(train));
    alone.addAll(List.of("--dist-backend", "local"));
    assertEquals(0, Launcher.start(output, env, alone.toArray(String[]::new)).waitFor(), Files.readString(output));
    alone.set(alone.size() - 1, "gloo");
    var unknown = Launcher.run(alone.toArray(String[]::new));
    assertTrue(unknown.text().contains("--dist-backend gloo, expected local, mpi, nccl or auto"), unknown.text());
  }
}
