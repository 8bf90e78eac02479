package jacquard.tests.cli.messages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import jacquard.clip.settings.Reason;
import jacquard.tests.cli.Launcher;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Saving where no room is left: an error that names the file, and what was there stays whole.
@EnabledOnOs(OS.LINUX)
class DiskFullTest {
  private static int shell(String command) throws Exception {
    return new ProcessBuilder("sh", "-c", command).redirectErrorStream(true).start().waitFor();
  }

  /// A file system of 9 MB holds a run's first checkpoint (1.6 MB of weights twice, 4.9 MB to resume from), and not a
  /// second beside it.
  @Test void onAFullDiskTheLastCheckpointStays(@TempDir Path folder) throws Exception {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    var small = Files.createDirectories(folder.resolve("small"));
    assumeTrue(shell("mount -t tmpfs -o size=9m none " + small) == 0,
        "a small file system cannot be mounted here (it needs root): not tested");
    try {
      var e = Launcher.run("train", "--model", Launcher.config(folder).toString(), "--train-data", pictures.toString(),
          "--batch-size", "8", "--steps", "8", "--warmup", "2", "--save-steps", "4",
          "--logs", small.toString(), "--name", "run");
      assertEquals(1, e.status(), e.text());
      assertTrue(e.text().contains("resume.safetensors: could not write ")
          && e.text().contains("bytes free in " + small.resolve("run"))
          && e.text().contains("the file that was there is unchanged"), e.text());
      assertFalse(Files.exists(small.resolve("run/resume.safetensors.tmp")));
      assertEquals(0, Launcher.run("classify", small.resolve("run/last").toString(),
          pictures.resolve("p00.png").toString(), "--labels", "a,b").status());
      assertEquals(0, shell("mount -o remount,size=64m " + small));
      var resumed = Launcher.run("train", "--resume", small.resolve("run").toString());
      assertEquals(0, resumed.status(), resumed.text());
      assertEquals(8, Files.readAllLines(small.resolve("run/metrics.jsonl")).size());
    } finally { shell("umount " + small); }
  }

  /// The same where a limit on the size of files stands for the disk; no rights are needed. 3 MB: the weights fit, the
  /// file to resume from does not.
  @Test void whereAFileMayNotGrow(@TempDir Path folder) throws Exception {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    var output = folder.resolve("output.txt");
    var p = Launcher.start(output, List.of("bash", "-c", "ulimit -f 3000; exec \"$@\"", "limited"),
        Launcher.train(folder, pictures, "run", 8));
    assertTrue(p.waitFor(3, TimeUnit.MINUTES));
    var text = Files.readString(output);
    assertEquals(1, p.exitValue(), text);
    assertTrue(text.contains("resume.safetensors: could not write "), text);
    assertFalse(Files.exists(folder.resolve("runs/run/resume.safetensors.tmp")));
    assertEquals(0, Launcher.run("classify", folder.resolve("runs/run/last").toString(),
        pictures.resolve("p00.png").toString(), "--labels", "a,b").status());
  }

  /// What makes a new folder leaves none that is not whole, and says which file found no room.
  @Test void noPartOfAFolderIsLeft(@TempDir Path folder) throws Exception {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    assertEquals(0, Launcher.run(Launcher.train(folder, pictures, "run", 4)).status());
    var run = folder.resolve("runs/run");
    var made = folder.resolve("made");
    var limited = List.of("bash", "-c", "ulimit -f 1000; exec \"$@\"", "limited");
    for (var command : List.of(List.of("package", run.toString(), "--out", made.toString()),
        List.of("convert", run.resolve("last").toString(), made.toString(), "--format", "open_clip"),
        List.of("shards", "emoji", made.toString(), "--size", "100000"))) {
      var output = folder.resolve(command.getFirst() + ".txt");
      var p = Launcher.start(output, limited, command.toArray(String[]::new));
      assertTrue(p.waitFor(3, TimeUnit.MINUTES));
      var text = Files.readString(output);
      assertEquals(1, p.exitValue(), text);
      assertTrue(text.contains(command.getFirst().equals("shards") ? made.resolve("00.tar.part: could not write it: ")
          .toString() : "open_clip_model.safetensors: could not write "), text);
      assertTrue(!Files.exists(made) || Files.list(made).findAny().isEmpty(), text);
      assertFalse(Files.exists(folder.resolve("made.part")), text);
    }
    assertEquals(0, Launcher.run("package", run.toString(), "--out", made.resolveSibling("other").toString())
        .status());
  }

  /// Logs name their file.
  @Test void aLogSaysItsName() {
    assertEquals("m.jsonl: cannot write the metrics of step 3: the disk is full: make room, or write into another "
        + "folder", Reason.of(new UncheckedIOException("m.jsonl: cannot write the metrics of step 3",
        new IOException("No space left on device"))));
    assertEquals("x: no such file or folder", Reason.of(new UncheckedIOException(new NoSuchFileException("x"))));
  }

  /// Features that find no room: the file is named, what is done stays, and `--resume` goes on from there.
  @Test void featuresGoOnWhereThereIsRoomAgain(@TempDir Path folder) throws Exception {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    assertEquals(0, Launcher.run(Launcher.train(folder, pictures, "run", 4)).status());
    var texts = Files.writeString(folder.resolve("texts.txt"), "a cat\n".repeat(4000));
    var command = List.of("embed", folder.resolve("runs/run/last").toString(), texts.toString(), "--out",
        folder.resolve("features").toString(), "--resume").toArray(String[]::new);
    var output = folder.resolve("output.txt");
    var p = Launcher.start(output, List.of("bash", "-c", "ulimit -f 64; exec \"$@\"", "limited"), command);
    assertTrue(p.waitFor(3, TimeUnit.MINUTES));
    var text = Files.readString(output);
    assertEquals(1, p.exitValue(), text);
    assertTrue(text.contains(folder.resolve("features.npy.part") + " and its names could not be written (")
        && text.contains("go on with --resume"), text);
    var resumed = Launcher.run(command);
    assertEquals(0, resumed.status(), resumed.text());
    var lines = Files.readAllLines(folder.resolve("features.jsonl"));
    assertEquals(4000, lines.size());
    assertEquals("{\"row\":3999,\"text\":\"a cat\"}", lines.getLast());
    assertEquals(128 + 4000 * 8 * 4, Files.size(folder.resolve("features.npy")));
  }
}
