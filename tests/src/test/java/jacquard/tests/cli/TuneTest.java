package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.checkpoint.safetensors.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// tune and blend as a user meets them, on a tiny model and folders of pictures.
class TuneTest {
  @TempDir static Path folder;
  private static Path old, fresh, base;

  @BeforeAll static void prepare() throws IOException {
    old = Launcher.pictures(folder.resolve("old"), 16);
    fresh = Launcher.pictures(folder.resolve("fresh"), 20);
    for (int i = 0; i < 20; i++)
      Files.writeString(fresh.resolve("p%02d.txt".formatted(i)), i < 10 ? "reds" : "blues");
    assertEquals(0, Launcher.run(Launcher.train(folder, old, "base", 3)).status());
    base = folder.resolve("runs/base/last");
  }

  private static Launcher.Ended tune(String name, int steps, String... more) {
    var all = new ArrayList<>(List.of("tune", base.toString(), "--data", fresh.toString(), "--guard", old.toString(),
        "--steps", Integer.toString(steps), "--val-steps", "3", "--save-steps", "2",
        "--logs", folder.resolve("runs").toString(), "--name", name));
    if (!List.of(more).contains("--batch-size")) all.addAll(List.of("--batch-size", "8"));
    all.addAll(List.of(more));
    return Launcher.run(all.toArray(String[]::new));
  }

  private static byte[] weights(String name, String which) throws IOException {
    return Files.readAllBytes(folder.resolve("runs").resolve(name).resolve(which)
        .resolve("open_clip_model.safetensors"));
  }

  /// Before, after and chosen are told; the folder holds the model, the figures and the picture.
  @Test void anAdaptationFromDataToModel() throws IOException {
    var e = tune("plain", 4);
    assertEquals(0, e.status(), e.text());
    for (var part : List.of("keeping by lwf", "before", "after", "chosen (α", "% of what was known is kept"))
      assertTrue(e.text().contains(part), "expected \"" + part + "\" in " + e.text());
    var run = folder.resolve("runs/plain");
    for (var f : List.of("chosen/open_clip_model.safetensors", "last/open_clip_model.safetensors", "tune.json",
        "report.png", "report.html")) assertTrue(Files.size(run.resolve(f)) > 0, f);
    var log = Files.readString(run.resolve("metrics.jsonl"));
    for (var m : List.of("learned/top1", "kept/top1", "old_names_loss", "class_loss"))
      assertTrue(log.contains(m), m);
    assertEquals(0, Launcher.run("eval", run.resolve("chosen").toString(), "--val-data", fresh.toString()).status());
  }

  /// A run that goes on has the bits of one that was never stopped, whatever is trained and kept. The rate is constant:
  /// a run of fewer steps would else have another.
  @Test void resumesToTheSameBits() throws IOException {
    for (var how : List.of(List.of("--keep", "lwf"), List.of("--method", "dora", "--old-data", old.toString()),
        List.of("--keep", "ewc", "--old-data", old.toString()), List.of("--method", "flyp", "--keep", "l2-sp"),
        List.of("--method", "lora", "--lora-dropout", "0.25"), List.of("--keep", "zscl"), List.of("--method", "lp-ft"),
        List.of("--method", "linear-probe"), List.of("--method", "cocoop", "--prompt-vectors", "2"))) {
      var options = new ArrayList<>(how);
      options.addAll(List.of("--lr-scheduler", "const"));
      var name = "r" + how.hashCode();
      var whole = tune(name, 4, options.toArray(String[]::new));
      assertEquals(0, whole.status(), whole.text());
      assertEquals(0, tune(name + "-again", 2, options.toArray(String[]::new)).status());
      var e = Launcher.run("tune", "--logs", folder.resolve("runs").toString(), "--resume",
          folder.resolve("runs").resolve(name + "-again").toString(), "--steps", "4");
      assertEquals(0, e.status(), e.text());
      assertArrayEquals(weights(name, "last"), weights(name + "-again", "last"), how.toString());
      assertArrayEquals(weights(name, "chosen"), weights(name + "-again", "chosen"), how.toString());
      for (var which : List.of("last", "chosen")) {
        var learned = folder.resolve("runs").resolve(name).resolve(which).resolve("learned/learned.safetensors");
        if (Files.exists(learned)) assertArrayEquals(Files.readAllBytes(learned), Files.readAllBytes(folder.resolve(
            "runs").resolve(name + "-again").resolve(which).resolve("learned/learned.safetensors")), how.toString());
      }
      assertTrue(Files.exists(folder.resolve("runs").resolve(name).resolve("last/learned"))
          || !Arrays.equals(Files.readAllBytes(base.resolve("open_clip_model.safetensors")), weights(name, "last")),
          how + " learned nothing");
    }
  }

  /// What is learned beside a model leaves its weights as they are, and eval and classify use it.
  @Test void whatIsLearnedBesideTheModelIsUsed() throws IOException {
    for (var method : List.of("linear-probe", "coop", "cocoop", "maple", "promptsrc", "clip-adapter", "tip-adapter",
        "tip-adapter-f")) {
      var own = method.startsWith("tip") ? "--shots" : List.of("linear-probe", "clip-adapter").contains(method)
          ? "--seed" : "--prompt-vectors";
      var e = tune(method, 3, "--method", method, own, "2");
      assertEquals(0, e.status(), e.text());
      assertTrue(e.text().contains("keeping by none") && e.text().contains("give that with --adapter"), e.text());
      var run = folder.resolve("runs").resolve(method);
      try (var before = Safetensors.open(base.resolve("open_clip_model.safetensors"));
           var last = Safetensors.open(run.resolve("last/open_clip_model.safetensors"))) {
        for (var n : before.names()) assertArrayEquals(before.floats(n), last.floats(n), method + " " + n);
      }
      var learned = run.resolve("last/learned").toString();
      var used = Launcher.run("eval", run.resolve("last").toString(), "--adapter", learned, "--val-data",
          fresh.toString());
      assertEquals(0, used.status(), used.text());
      assertEquals(0, Launcher.run("classify", run.resolve("last").toString(), old.resolve("p03.png").toString(),
          "--label", "reds", "--label", "blues", "--adapter", learned).status(), method);
    }
    Launcher.fails("was learned beside another model", "eval", folder.resolve("runs/coop/last").toString(), "--adapter",
        mistaken().toString(), "--val-data", fresh.toString());
  }

  /// A prompt that says it belongs to another model.
  private static Path mistaken() throws IOException {
    var to = Files.createDirectories(folder.resolve("mistaken"));
    var from = folder.resolve("runs/coop/last/learned/learned.safetensors");
    try (var file = Safetensors.open(from)) {
      var metadata = new java.util.HashMap<>(file.metadata());
      metadata.put("base_sha256", "0123456789abcdef");
      Safetensors.write(to.resolve("learned.safetensors"), java.util.Map.of("ctx", new Safetensors.Array(
          file.shape("ctx"), file.floats("ctx"))), metadata);
    }
    return to;
  }

  /// Seeds have runs of their own, whose means are told; a run that was made is not made again.
  @Test void seedsAndKnobsAreRunsOfTheirOwn() throws IOException {
    var e = tune("seeds", 2, "--keep", "none", "--seeds", "2");
    assertEquals(0, e.status(), e.text());
    for (var f : List.of("seed-0", "seed-1"))
      assertTrue(Files.size(folder.resolve("runs/seeds").resolve(f).resolve("tune.json")) > 0, f);
    assertTrue(e.text().contains("mean ± deviation of 2 seeds"), e.text());
    assertFalse(Arrays.equals(weights("seeds", "seed-0/last"), weights("seeds", "seed-1/last")));
    var again = tune("seeds", 2, "--keep", "none", "--seeds", "2");
    assertEquals(0, again.status(), again.text());
    assertFalse(again.text().contains("2 steps of"), again.text());
    var knob = tune("knob", 2, "--knob", "keep-weight=0.5,2");
    assertEquals(0, knob.status(), knob.text());
    assertTrue(Files.size(folder.resolve("runs/knob/report.png")) > 0);
    assertTrue(knob.text().contains("--keep-weight") && knob.text().contains("has the best mean"), knob.text());
    refused(tune("x", 2, "--knob", "weight=1,2"), "expected an option of tune and its values");
  }

  /// An option that the method, or what keeps the old, does not take would change nothing: it is refused before
  /// anything is read, by name and with those that take it. A run that began with one when that was not said goes on.
  @Test void optionsThatNothingTakesAreRefused() throws IOException {
    for (var c : List.of(List.of("--lora-rank", "4", "--method lora or dora, not for full"),
        List.of("--lora-alpha", "4", "--method lora or dora, not for full"),
        List.of("--lora-targets", "fc1", "--method lora or dora, not for full"),
        List.of("--lora-dropout", "0.1", "--method lora or dora, not for full"),
        List.of("--groups", "1", "--method last, not for full"),
        List.of("--shots", "4", "--method tip-adapter or tip-adapter-f, not for full"),
        List.of("--prompt", "a", "--method coop, cocoop, maple or promptsrc, not for full"),
        List.of("--prompt-vectors", "4", "--method coop, cocoop, maple or promptsrc, not for full"),
        List.of("--matryoshka", "4", "--method flyp or lit, not for full"),
        List.of("--old-share", "0.4", "--keep replay, not for lwf")))
      refused(Launcher.run("tune", "not-there", "--data", "not-there.csv", c.get(0), c.get(1)), c.get(0) + " is for "
          + c.get(2));
    refused(Launcher.run("tune", "not-there", "--data", "x.csv", "--keep", "l2-sp", "--temperature", "1"),
        "--temperature is for --keep lwf or zscl, not for l2-sp");
    refused(Launcher.run("tune", "not-there", "--data", "x.csv", "--method", "coop", "--keep-weight", "1"),
        "--keep-weight is for --keep lwf, zscl, l2-sp or ewc, not for none");
    refused(Launcher.run("tune", "not-there", "--data", "x.csv", "--method", "coop", "--prompt", "a",
        "--prompt-vectors", "2"), "--prompt and --prompt-vectors exclude each other");
    refused(Launcher.run("tune", "not-there", "--data", "x.csv", "--knob", "lora-rank=1,2"), "not for full");
    refused(Launcher.run("tune", "not-there", "--data", "x.csv", "--seeds", "2", "--shots", "2"), "not for full");
    refused(Launcher.run("tune", "not-there", "--data", "x.csv", "--knob", "method=full,lora", "--shots", "2"),
        "--shots is for");
    // methods that are compared have what they take alone
    var knob = tune("compared", 2, "--knob", "method=coop,lora", "--lora-rank", "3", "--keep-weight", "2");
    assertEquals(0, knob.status(), knob.text());
    assertTrue(Files.readString(folder.resolve("runs/compared/method-lora/last/adapter/adapter_config.json"))
        .contains("3"));
    // begun when nothing was said
    assertEquals(0, tune("earlier", 2, "--lr-scheduler", "const").status());
    var run = folder.resolve("runs/earlier");
    var began = run.resolve("arguments.json");
    Files.writeString(began, Files.readString(began).replace("\"--steps\"", "\"--shots\",\"4\",\"--steps\""));
    assertTrue(Files.readString(began).contains("--shots"));
    var on = Launcher.run("tune", "--resume", run.toString(), "--steps", "3");
    assertEquals(0, on.status(), on.text());
    refused(Launcher.run("tune", "--resume", run.toString(), "--steps", "4", "--lora-rank", "2"), "not for full");
  }

  /// Two ranks of four pairs are one rank of eight, to rounding: what is learned, the old pairs among them and the old
  /// names. The gradient of keys' biases is nothing but rounding, which a smaller ε would make a whole step of.
  @Test void ranksAreOneRank() throws IOException {
    for (var how : List.of(List.of("--keep", "lwf"), List.of("--keep", "l2-sp", "--keep-weight", "50"),
        List.of("--old-data", old.toString()))) {
      var one = new ArrayList<>(how);
      one.addAll(List.of("--device", "cpu", "--eps", "1e-3"));
      var two = new ArrayList<>(one);
      two.addAll(List.of("--ranks", "2", "--batch-size", "4"));
      assertEquals(0, tune("one" + how.hashCode(), 3, one.toArray(String[]::new)).status());
      var e = tune("two" + how.hashCode(), 3, two.toArray(String[]::new));
      assertEquals(0, e.status(), e.text());
      try (var a = Safetensors.open(folder.resolve("runs/one" + how.hashCode() + "/last/open_clip_model.safetensors"));
           var b = Safetensors.open(folder.resolve("runs/two" + how.hashCode()
               + "/last/open_clip_model.safetensors"))) {
        for (var n : a.names()) assertArrayEquals(a.floats(n), b.floats(n), 2e-5f, n);
      }
    }
  }

  /// Adapters are kept beside the weights that have them, and fit their base alone.
  @Test void anAdapterIsReadBack() throws IOException {
    var e = tune("lora", 3, "--method", "lora", "--lora-rank", "2");
    assertEquals(0, e.status(), e.text());
    var adapter = folder.resolve("runs/lora/last/adapter");
    assertTrue(Files.readString(adapter.resolve("adapter_config.json")).contains("\"LORA\""));
    var merged = folder.resolve("merged.npy");
    var picture = old.resolve("p03.png").toString();
    assertEquals(0, Launcher.run("embed", folder.resolve("runs/lora/last").toString(), picture, "--out",
        folder.resolve("merged").toString()).status());
    var beside = Launcher.run("embed", base.toString(), "--adapter", adapter.toString(), picture, "--out",
        folder.resolve("beside").toString());
    assertEquals(0, beside.status(), beside.text());
    assertArrayEquals(Files.readAllBytes(merged), Files.readAllBytes(folder.resolve("beside.npy")));
    var other = Launcher.run("embed", folder.resolve("runs/lora/last").toString(), "--adapter", adapter.toString(),
        picture, "--out", folder.resolve("other").toString());
    assertEquals(1, other.status());
    assertTrue(other.text().contains("was trained on another base"), other.text());
  }

  /// α = 0 is the old model, to the bit; a row of α is measured and the best written.
  @Test void blends() throws IOException {
    var e = tune("b", 3, "--keep", "none");
    assertEquals(0, e.status(), e.text());
    var after = folder.resolve("runs/b/last").toString();
    for (var end : List.of("0", "1")) {
      var to = folder.resolve("blend" + end);
      assertEquals(0, Launcher.run("blend", base.toString(), after, "--alpha", end, "--out", to.toString()).status());
      assertArrayEquals(Files.readAllBytes((end.equals("0") ? base : Path.of(after))
          .resolve("open_clip_model.safetensors")), Files.readAllBytes(to.resolve("open_clip_model.safetensors")));
    }
    var row = Launcher.run("blend", base.toString(), after, "--alpha", "0:1:0.5", "--data", fresh.toString(), "--guard",
        old.toString(), "--out", folder.resolve("row").toString());
    assertEquals(0, row.status(), row.text());
    assertTrue(row.text().contains("has the best mean"), row.text());
    assertTrue(Files.size(folder.resolve("row/report.png")) > 0);
    var soup = Launcher.run("blend", base.toString(), after, after, "--soup", "greedy", "--data", fresh.toString(),
        "--guard", old.toString(), "--out", folder.resolve("soup").toString());
    assertEquals(0, soup.status(), soup.text());
    assertTrue(soup.text().contains("taken in: "), soup.text());
  }

  @Test void whatCannotBeIsSaid() {
    refused(Launcher.run("tune", base.toString()), "tune needs --data");
    refused(tune("x", 2, "--method", "lorra"), "Did you mean lora?");
    refused(tune("x", 2, "--keep", "replay"), "needs --old-data");
    refused(tune("x", 2, "--method", "lora", "--lora-rank", "0"), "an adapter of rank 0");
    refused(tune("x", 2, "--method", "coop", "--keep", "lwf"), "leaves them as they are");
    refused(tune("x", 2, "--method", "coop", "--prompt-vectors", "6"), "leaves no room for a name");
    refused(tune("x", 2, "--template", "a photo"), "has no {} for the label");
    refused(tune("x", 2, "--method", "lora", "--lora-targets", "nothing"), "no linear layer of this model is named");
    refused(Launcher.run("blend", base.toString(), base.toString(), "--alpha", "0:1:0", "--out", folder.resolve("x")
        .toString()), "expected a number from 0 to 1");
    refused(Launcher.run("blend", base.toString(), base.toString(), "--soup", "greedy", "--out", folder.resolve("x")
        .toString()), "to measure by");
  }

  /// A guard that is trained on says too much, and that is said.
  @Test void aGuardThatIsTrainedOnIsTold() {
    var e = tune("overlap", 2, "--old-data", old.toString());
    assertEquals(0, e.status(), e.text());
    assertTrue(e.text().contains("16 of 16 pictures of the guard"), e.text());
  }

  private static void refused(Launcher.Ended e, String expected) {
    assertEquals(1, e.status(), e.text());
    assertTrue(e.text().contains(expected), "expected \"" + expected + "\", found " + e.text());
    assertFalse(e.text().contains("\tat "), e.text());
  }
}
