package jacquard.tests.cli.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.tests.cli.Launcher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What going on with a run does and refuses, at the command line.
class ResumeTest {
  @TempDir Path folder;
  private Path pictures;

  @BeforeEach void prepare() throws IOException { pictures = Launcher.pictures(folder.resolve("pictures"), 16); }

  private Launcher.Ended resume(String name, String... more) {
    var all =
        new ArrayList<>(List.of("train", "--logs", folder.resolve("runs").toString(), "--name", name, "--resume"));
    all.addAll(List.of(more));
    return Launcher.run(all.toArray(String[]::new));
  }

  private long lines(String name) throws IOException {
    return Files.readAllLines(folder.resolve("runs").resolve(name).resolve("metrics.jsonl")).size();
  }

  private void begin(String name, int steps) throws IOException {
    var e = Launcher.run(Launcher.train(folder, pictures, name, steps));
    assertEquals(0, e.status(), e.text());
  }

  private void refused(Launcher.Ended e, String expected) {
    assertEquals(1, e.status(), e.text());
    assertTrue(e.text().contains(expected), "expected \"" + expected + "\", found " + e.text());
    assertFalse(e.text().contains("\tat "), e.text());
  }

  /// A finished run says so and stays as it is.
  @Test void aFinishedRunIsLeftAlone() throws IOException {
    begin("a", 4);
    var run = folder.resolve("runs/a");
    var before = new LinkedHashMap<Path, byte[]>();
    try (var all = Files.walk(run)) {
      for (var f : all.filter(Files::isRegularFile).toList()) before.put(f, Files.readAllBytes(f));
    }
    var e = resume("a");
    assertEquals(0, e.status(), e.text());
    assertTrue(e.text().contains("a has made all its 4 steps already"), e.text());
    try (var all = Files.walk(run)) {
      assertEquals(before.keySet(), new java.util.LinkedHashSet<>(all.filter(Files::isRegularFile).toList()));
    }
    for (var f : before.entrySet())
      assertEquals(-1, java.util.Arrays.mismatch(f.getValue(), Files.readAllBytes(f.getKey())), f.getKey().toString());
  }

  /// An option given now takes the place of either way to say the same.
  @Test void epochsTakeThePlaceOfSteps() throws IOException {
    begin("a", 4);
    var e = resume("a", "--epochs", "4");                                         // 16 pairs in batches of 8
    assertEquals(0, e.status(), e.text());
    assertEquals(8, lines("a"));
  }

  @Test void whatCannotTakeEffectIsRefused() throws IOException {
    begin("a", 4);
    refused(resume("a", "--steps", "3", "--warmup", "0"),
        "ask for 3 steps in all, and " + folder.resolve("runs/a") + " has made 4 already");
    refused(resume("a", "--steps", "6", "--seed", "5"), "was made with --seed 0, not 5");
    refused(resume("a", "--steps", "6", "--batch-size", "4"), "was made with 8 pairs a step on all ranks, not 4");
    refused(resume("a", "--steps", "6", "--pretrained", folder.resolve("runs/a/last").toString()),
        "--pretrained with --resume");
    refused(resume("a", "--steps", "6", "--opt", "sgd"), "was made with the optimizer AdamW, not Sgd");
    refused(resume("a", "--steps", "6", "--precision", "amp_bf16"), "was made with --precision fp32, not amp_bf16");
    refused(resume("a", "--steps", "6", "--siglip"), "was made with the loss softmax, not sigmoid");
    refused(resume("a", "--steps", "6", "--lock-image"), "different --lock-… options");
    assertEquals(4, lines("a"));
  }

  @Test void aRunThatIsNotThereIsNotMade() {
    refused(Launcher.run("train", "--logs", folder.resolve("runs").toString(), "--resume",
        folder.resolve("runs/nothere").toString()), "nothere is no folder of a run");
    assertFalse(Files.exists(folder.resolve("runs")));
  }

  /// A run that fails before its first step leaves neither folder nor name.
  @Test void aRunThatNeverMadeAStepKeepsNoName() throws IOException {
    var bad = Files.writeString(folder.resolve("bad.csv"), "filepath,title\nx.png,a\ny.png,b\n");
    String[] arguments = {"train", "--train-data", bad.toString(), "--model", Launcher.config(folder).toString(),
        "--batch-size", "2", "--steps", "2", "--warmup", "1", "--logs", folder.resolve("runs").toString(), "--name",
        "c"};
    refused(Launcher.run(arguments), "none of the 2 samples of step 0 could be read");
    assertFalse(Files.exists(folder.resolve("runs/c")));
    // one that was there stays, with what others put there
    Files.createDirectories(folder.resolve("runs/c"));
    Files.writeString(folder.resolve("runs/c/notes.txt"), "mine");
    refused(Launcher.run(arguments), "none of the 2 samples");
    assertEquals("mine", Files.readString(folder.resolve("runs/c/notes.txt")));
    begin("c", 3);
    assertEquals(3, lines("c"));
  }

  /// A table that changed since is said: another caption, another row.
  @Test void changedDataAreSaid() throws IOException {
    begin("a", 4);
    assertFalse(resume("a", "--steps", "5").text().contains("trained on before"));
    Files.writeString(pictures.resolve("p03.txt"), "something else");
    var e = resume("a", "--steps", "6");
    assertEquals(0, e.status(), e.text());
    assertTrue(e.text().contains(pictures + " is not what the run was trained on before: as many pairs (16), but "
        + "other captions"), e.text());
    assertFalse(resume("a", "--steps", "7").text().contains("trained on before"));
    Launcher.pictures(pictures, 20);
    assertTrue(resume("a", "--steps", "8").text().contains("it had 16 pairs, now 20"));
  }

  /// Relative paths mean what they meant where the run began.
  @Test void relativePathsAreOfTheFirstCommand() throws Exception {
    var here = Files.createDirectories(folder.resolve("here"));
    Files.move(pictures, here.resolve("pictures"));
    Files.writeString(here.resolve("tiny.json"), Launcher.CONFIG);
    var output = folder.resolve("output.txt");
    assertEquals(0, Launcher.start(output, List.of("sh", "-c", "cd \"$0\" && exec \"$@\"", here.toString()), "train",
        "--model", "tiny.json", "--train-data", "pictures", "--batch-size", "8", "--steps", "4", "--warmup", "1",
        "--logs", "runs", "--name", "a").waitFor(), Files.readString(output));
    var e = Launcher.run("train", "--resume", here.resolve("runs/a").toString(), "--steps", "6");
    assertEquals(0, e.status(), e.text());
    assertEquals(6, Files.readAllLines(here.resolve("runs/a/metrics.jsonl")).size());
  }

  /// A checkpoint of the format before is refused by name.
  @Test void theFormatBeforeIsRefused() throws IOException {
    begin("a", 4);
    Safetensors.write(folder.resolve("runs/a/resume.safetensors"),
        Map.of("model.logit_scale", new Safetensors.Array(new int[0], new float[] {1})),
        Map.of("step", "4", "seed", "0"));
    refused(resume("a", "--steps", "6"), "has the format \"jacquard run 1\", expected \"jacquard run 2\"");
  }

  /// As OpenCLIP counts: N micro-batches of --batch-size pairs.
  @Test void accumulationMultipliesTheBatch() throws IOException {
    var e = Launcher.run(Launcher.train(folder, pictures, "whole", 4));
    assertEquals(0, e.status(), e.text());
    assertTrue(e.text().contains("4 steps of 8;"), e.text());
    var arguments = new ArrayList<>(List.of(Launcher.train(folder, pictures, "parts", 4)));
    arguments.set(arguments.indexOf("--batch-size") + 1, "4");
    arguments.addAll(List.of("--accum-freq", "2"));
    e = Launcher.run(arguments.toArray(String[]::new));
    assertEquals(0, e.status(), e.text());
    assertTrue(e.text().contains("4 steps of 8;"), e.text());
  }
}
