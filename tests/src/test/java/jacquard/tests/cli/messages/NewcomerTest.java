package jacquard.tests.cli.messages;

import static jacquard.tests.cli.Launcher.fails;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.settings.Home;
import jacquard.tests.cli.Launcher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a first user tries and mistypes: each answer names what was given, what was expected and what would do.
class NewcomerTest {
  @TempDir static Path folder;
  private static Path pictures, model;

  @BeforeAll static void prepare() throws IOException {
    pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    assertEquals(0, Launcher.run(Launcher.train(folder, pictures, "good", 4)).status());
    model = folder.resolve("runs/good/last");
  }

  private static String[] train(String... more) throws IOException {
    var all = new ArrayList<>(List.of(Launcher.train(folder, pictures, "never", 3)));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  /// Neither of two options that exclude each other is passed over.
  @Test void theSameInTwoWays() throws IOException {
    fails("--steps and --epochs exclude each other; give one of them", train("--epochs", "2"));
    fails("--val-steps and --val-frequency exclude each other", train("--val-frequency", "2"));
    fails("--save-steps and --save-frequency exclude each other", train("--save-frequency", "2"));
    fails("--warmup and --skip-scheduler exclude each other", train("--skip-scheduler"));
    assertFalse(Files.exists(folder.resolve("runs/never")));
  }

  /// The rate of --lr at every step.
  @Test void withoutASchedule() throws IOException {
    var line = new ArrayList<>(List.of(Launcher.train(folder, pictures, "constant", 3)));
    int at = line.indexOf("--warmup");
    line.subList(at, at + 2).clear();
    line.addAll(List.of("--skip-scheduler", "--lr", "3e-4"));
    var e = Launcher.run(line.toArray(String[]::new));
    assertEquals(0, e.status(), e.text());
    for (var l : Files.readAllLines(folder.resolve("runs/constant/metrics.jsonl")))
      assertTrue(l.contains("\"lr\":3.0E-4") || l.contains("\"lr\":3e-4") || l.contains("\"lr\":0.0003"), l);
  }

  /// A run's folder lies in --logs, whatever its name is.
  @Test void names() throws IOException {
    for (var name : List.of("", " ", ".", "..", "../x", "a/../..", "/tmp/x")) {
      var line = new ArrayList<>(List.of(Launcher.train(folder, pictures, "never", 3)));
      line.set(line.indexOf("--name") + 1, name);
      fails("--name \"" + name + "\", expected the name of a folder in " + folder.resolve("runs"),
          line.toArray(String[]::new));
    }
    var large = new ArrayList<>(List.of(Launcher.train(folder, pictures, "never", 3)));
    large.set(large.indexOf("--batch-size") + 1, "17");
    fails("holds 16 pairs, fewer than a step's 17; lower --batch-size", large.toArray(String[]::new));
  }

  /// With --debug an error says where it arose too.
  @Test void debug() throws IOException {
    var e = Launcher.run(train("--lr", "-1", "--debug"));
    assertTrue(e.status() == 1 && e.text().contains("--lr -1.0") && e.text().contains("\tat jacquard.clip"), e.text());
  }

  @Test void numbersThatAreNone() throws IOException {
    var wrong = new LinkedHashMap<String[], String>();
    wrong.put(new String[] {"--epochs", "many"}, "--epochs \"many\", expected a whole number");
    wrong.put(new String[] {"--seed", "1.5"}, "--seed \"1.5\", expected a whole number");
    wrong.put(new String[] {"--batch-size", "99999999999"}, "expected a whole number of at most 2,147,483,647");
    wrong.put(new String[] {"--lr", "1,5"}, "--lr \"1,5\", expected a number, as 0.5 or 1e-3");
    wrong.put(new String[] {"--image-mean", "0", "0", "x"}, "--image-mean \"x\", expected a number");
    wrong.put(new String[] {"--siglip=yes"}, "--siglip \"yes\", expected no value: the option stands alone");
    for (var w : wrong.entrySet()) {
      var line = new ArrayList<>(List.of("train"));
      line.addAll(List.of(w.getKey()));
      var text = fails(w.getValue(), line.toArray(String[]::new));
      for (var java : List.of(" int", "long", "double", "float", "boolean")) assertFalse(text.contains(java), text);
    }
  }

  /// Options of pictures are refused by their own names.
  @Test void optionsOfPicturesAreNamed() throws IOException {
    var wrong = new LinkedHashMap<String, String>();
    wrong.put("--crop 0", "--crop 0.0, expected more than 0 and at most 1");
    wrong.put("--crop 2", "--crop 2.0, expected");
    wrong.put("--flip 1.5", "--flip 1.5, expected 0 to 1");
    wrong.put("--flip NaN", "--flip NaN, expected 0 to 1");
    wrong.put("--color-jitter -1", "--color-jitter -1.0, expected 0 or more");
    wrong.put("--color-jitter-prob 2", "--color-jitter-prob 2.0, expected 0 to 1");
    wrong.put("--gray-scale-prob -1", "--gray-scale-prob -1.0, expected 0 to 1");
    wrong.put("--image-std 0 1 1", "--image-std: ");
    wrong.put("--image-interpolation cubic", "--image-interpolation: ");
    wrong.put("--image-resize-mode cut", "--image-resize-mode: ");
    wrong.put("--image-layer-decay 2", "--image-layer-decay");
    wrong.put("--text-layer-decay 0", "--text-layer-decay");
    wrong.put("--coca-caption-loss-weight -1", "--coca-caption-loss-weight");
    wrong.put("--force-patch-dropout 1.5", "patch_dropout");
    wrong.put("--force-image-size 0", "image_size");
    wrong.put("--ranks 0", "--ranks 0");
    wrong.put("--precision fp7", "precision fp7");
    wrong.put("--device tpu", "--device");
    for (var w : wrong.entrySet()) fails(w.getValue(), train(w.getKey().split(" ")));
    assertFalse(Files.exists(folder.resolve("runs/never")));
  }

  /// The nearest names and where all stand, not a hundred names.
  @Test void namesOfModelsAndTags() {
    for (var wrong : List.of("ViT-B-33", "vit-b32", "ViTB32")) {
      var text = fails("Did you mean ViT-B-32", "train", "--model", wrong);
      assertTrue(text.contains("./jacquard models lists all") && text.length() < 300, text);
    }
    assertTrue(fails("no model \"siglip\"", "eval", "siglip", "--pretrained", "webli").contains("SigLIP"));
    assertFalse(fails("no model \"qqqqqqqqqq\"", "train", "--model", "qqqqqqqqqq").contains("Did you mean"));
    var text = fails("ViT-B-32 has no weights \"openia\"", "classify", "ViT-B-32", "--pretrained", "openia", "x.png",
        "--labels", "a,b");
    assertTrue(text.contains("Did you mean openai? ./jacquard models --tags ViT-B-32 lists all")
        && text.length() < 300, text);
    text = fails("its tags are openai, ", "eval", "ViT-B-32");
    assertTrue(text.contains("more (./jacquard models --tags ViT-B-32)") && text.length() < 400, text);
    text = Launcher.run("models", "--tags", "ViT-B-32-quickgelu").text();
    assertTrue(text.contains("metaclip_400m") && text.lines().allMatch(l -> l.startsWith("model") || l.contains("-q")),
        text);
    assertTrue(Launcher.run("models", "siglip").text().contains("ViT-B-16-SigLIP"));
    fails("no model's name holds \"qqqqqqqqqq\"", "models", "qqqqqqqqqq");
  }

  @Test void foldersInPlaceOfFiles() throws IOException {
    var out = Files.createDirectories(folder.resolve("out"));
    for (var o : List.of(out.toString(), out + "/", folder + "/nosuch/"))
      fails("is a folder, expected the name of the files to write", "embed", model.toString(), "--text", "a",
          "--out", o);
    assertFalse(Files.exists(folder.resolve("out.npy")));
    var other = Files.createDirectories(folder.resolve("other"));
    Files.copy(model.resolve("open_clip_config.json"), other.resolve("open_clip_config.json"));
    Files.createDirectories(other.resolve("open_clip_model.safetensors"));
    fails("open_clip_model.safetensors is a folder, expected a file of weights", "eval", other.toString());
    fails("open_clip_model.safetensors is a folder, expected a file of weights", "train", "--pretrained",
        other.toString(), "--train-data", pictures.toString(), "--batch-size", "8", "--steps", "2", "--warmup", "1",
        "--logs", folder.resolve("runs").toString());
    var folderAsConfig = Files.createDirectories(folder.resolve("dir.json")).toString();
    fails(folderAsConfig, "train", "--model", folderAsConfig);
    fails(out.toString(), "classify", model.toString(), out.toString(), "--labels", "a,b");
    fails(out + " is a folder", "classify", model.toString(), "x.png", "--labels-file", out.toString());
  }

  @Test void nothingToEmbed() throws IOException {
    var empty = Files.createFile(folder.resolve("empty.txt"));
    var texts = Files.createDirectories(folder.resolve("texts"));
    Files.writeString(texts.resolve("a.md"), "a");
    fails("nothing to embed: give pictures", "embed", model.toString());
    fails("nothing to embed: " + empty + " holds no line; " + texts + " holds no picture, but 1 .md", "embed",
        model.toString(), empty.toString(), texts.toString());
    var e = Launcher.run("embed", model.toString(), empty.toString(), "--text", "a", "--out",
        folder.resolve("one").toString());
    assertTrue(e.status() == 0 && e.text().contains(empty + " holds no line"), e.text());
  }

  /// What may not be looked at is not said to be missing. In a process that may not read all, as root may.
  @Test void withoutPermission() throws Exception {
    var closed = Files.createDirectories(folder.resolve("closed/inner"));
    for (var f : List.of("open_clip_config.json", "open_clip_model.safetensors"))
      Files.copy(model.resolve(f), closed.resolve(f));
    var none = PosixFilePermissions.fromString("---------");
    Files.setPosixFilePermissions(closed, none);
    try {
      boolean root = Files.isReadable(closed);
      var shell = root ? List.of("setpriv", "--bounding-set=-dac_override,-dac_read_search") : List.<String>of();
      if (root) Assumptions.assumeTrue(works(shell), "root reads all here");
      denied(closed, shell, "eval", closed.toString());
      denied(closed, shell, "eval", model.toString(), "--val-data", closed.resolve("a.csv").toString());
      denied(closed, shell, "train", "--pretrained", closed.resolve("x.safetensors").toString());
      denied(closed, shell, "train", "--resume", closed.resolve("runs/a").toString());
    } finally { Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------")); }
  }

  private static boolean works(List<String> shell) throws InterruptedException {
    var all = new ArrayList<>(shell);
    all.add("true");
    try { return new ProcessBuilder(all).start().waitFor() == 0; } catch (IOException absent) { return false; }
  }

  private static void denied(Path closed, List<String> shell, String... arguments) throws Exception {
    var out = Files.createTempFile(folder, "denied", ".txt");
    int status = Launcher.start(out, shell, arguments).waitFor();
    var text = Files.readString(out);
    assertEquals(1, status, text);
    assertTrue(text.contains(closed + ": permission denied"), Arrays.toString(arguments) + ": " + text);
  }

  /// A finished run says which of the options given now did nothing.
  @Test void optionsOfAFinishedRun() throws IOException {
    assertEquals(0, Launcher.run(Launcher.train(folder, pictures, "done", 4)).status());
    var e = Launcher.run("train", "--logs", folder.resolve("runs").toString(), "--name", "done", "--resume", "--lr",
        "1e-4", "--steps", "4");
    assertTrue(e.status() == 0 && e.text().contains("nothing was changed, and --lr, --steps had no effect"), e.text());
  }

  /// A wrong name of data is said before the first of several is worked on.
  @Test void severalDataSets() {
    var text = fails("nosuch does not exist", "eval", model.toString(), "--val-data", pictures.toString(), "--val-data",
        folder.resolve("nosuch").toString());
    assertFalse(text.contains("top1"), text);
  }

  private static String table(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text).toString();
  }

  /// Tables as programs write them and people mistake them.
  @Test void tablesOfAllKinds() throws IOException {
    Path a = pictures.resolve("p00.png"), b = pictures.resolve("p01.png");
    var mac = Launcher.run("data", table("mac.csv", "filepath,title\r" + a + ",red\r" + b + ",green\r"));
    assertTrue(mac.status() == 0 && mac.text().contains("mac.csv: 2 pairs"), mac.text());
    fails("has no column \"filepath\"; found [FilePath, Title]; if \"FilePath\" is meant, give --csv-img-key "
        + "\"FilePath\"", "data", table("capitals.csv", "FilePath,Title\n" + a + ",red\n"));
    fails("is the first row that of the names? --csv-img-key takes another name", "data",
        table("headless.csv", a + ",red\n" + b + ",green\n"));
    var wide = fails("has no column", "data", table("wide.csv", "x,".repeat(5000) + "y\n"));
    assertTrue(wide.length() < 700, wide);
    fails("row 2: https://example.org/a.png is an address, and pictures of a table are files", "data",
        table("urls.csv", "filepath,title\nhttps://example.org/a.png,red\n"));
    var gap = Launcher.run("data", table("gap.csv", "filepath,title\n" + a + ",red\n,green\n"));
    assertTrue(gap.status() == 0 && gap.text().contains("1 row of") && gap.text().contains("no path")
        && gap.text().contains("gap.csv: 1 pair\n"), gap.text());
    fails("a text in UTF-16", "data", Files.write(folder.resolve("wide16.csv"),
        ("\ufefffilepath,title\n" + a + ",red\n").getBytes(java.nio.charset.StandardCharsets.UTF_16LE)).toString());
    fails("this is a picture", "data", a.toString());
    fails("a text in UTF-16", "classify", model.toString(), a.toString(), "--labels-file",
        Files.write(folder.resolve("labels16.txt"), "\ufeffred\n".getBytes(
        java.nio.charset.StandardCharsets.UTF_16LE)).toString());
  }

  /// The hub's cache lies in HOME, as Python's does; where neither HOME nor the account says a folder, among temporary
  /// files.
  @Test void theCacheLiesInHome() throws Exception {
    assertEquals(Path.of("/h"), Home.of(Map.of("HOME", "/h"), "/root", "/tmp"));
    assertEquals(Path.of("/root"), Home.of(Map.of("HOME", ""), "/root", "/tmp"));
    assertEquals(Path.of("/tmp"), Home.of(Map.of(), "?", "/tmp"));
    var out = folder.resolve("home.out");
    var p = Launcher.start(out, List.of("env", "-u", "HF_HOME", "-u", "HF_HUB_CACHE", "-u", "XDG_CACHE_HOME",
        "HF_HUB_OFFLINE=1", "HOME=" + folder.resolve("home")), "embed", "hf-hub:nobody/nothing", "--text", "a");
    assertTrue(p.waitFor(1, TimeUnit.MINUTES));
    var text = Files.readString(out);
    assertTrue(p.exitValue() == 1 && text.contains(folder.resolve("home/.cache/huggingface/hub").toString()), text);
  }
}
