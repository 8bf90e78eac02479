package jacquard.tests.cli.messages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.tests.cli.Launcher;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is broken, at the command line: a message that names it and what was expected, and status 1; in training a
/// counted skip.
class BadInputTest {
  @TempDir static Path folder;
  private static Path pictures, model;
  /// File → what its error says.
  private static final Map<Path, String> BROKEN = new LinkedHashMap<>();

  @BeforeAll static void prepare() throws IOException {
    pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    assertEquals(0, Launcher.run(Launcher.train(folder, pictures, "good", 4)).status());
    model = folder.resolve("runs/good/last");
    byte[] png = Files.readAllBytes(pictures.resolve("p00.png")), huge = png.clone();
    // IHDR: a width of two thousand million, and its checksum
    huge[16] = 0x7f;
    var sum = new CRC32();
    sum.update(huge, 12, 17);
    ByteBuffer.wrap(huge).putInt(29, (int) sum.getValue());
    byte[] damaged = png.clone();
    for (int i = 40; i < damaged.length - 12; i++) damaged[i] ^= 0x55;
    BROKEN.put(Files.write(folder.resolve("zero.png"), new byte[0]), "0 bytes, expected an image");
    BROKEN.put(Files.write(folder.resolve("truncated.png"), Arrays.copyOf(png, 33 + 8 + 22)), "truncated PNG");
    BROKEN.put(Files.write(folder.resolve("corrupt.png"), damaged), "PNG");
    BROKEN.put(Files.write(folder.resolve("huge.png"), huge), "expected at most 25,000,000");
    BROKEN.put(Files.writeString(folder.resolve("text.jpg"), "this is no picture"),
        "expected JPEG, PNG, GIF, BMP, WebP, TIFF, ICO or PNM");
    BROKEN.put(folder.resolve("absent.png"), "no such file");
  }

  private static void fails(String expected, String... arguments) {
    var e = Launcher.run(arguments);
    assertEquals(1, e.status(), e.text());
    assertTrue(e.text().contains(expected), "expected \"" + expected + "\", found " + e.text());
    assertFalse(e.text().contains("\tat "), "a stack trace: " + e.text());
  }

  @Test void imagesAreNamedAndTheOthersClassified() {
    var all = new java.util.ArrayList<>(List.of("classify", model.toString(), "--labels", "red,green"));
    BROKEN.keySet().forEach(f -> all.add(f.toString()));
    all.add(pictures.resolve("p01.png").toString());
    var e = Launcher.run(all.toArray(String[]::new));
    assertEquals(1, e.status());
    BROKEN.forEach((file, why) ->
        assertTrue(e.text().lines().anyMatch(l -> l.contains(file.toString()) && l.contains(why)),
            file + ": " + e.text()));
    assertTrue(e.text().contains("6 of 7 images could not be read") && e.text().contains("p01.png\n"), e.text());
  }

  @Test void embedNamesThemAndKeepsTheOthers() throws IOException {
    var out = folder.resolve("features");
    var all = new java.util.ArrayList<>(List.of("embed", model.toString(), "--out", out.toString(),
        pictures.resolve("p01.png").toString()));
    BROKEN.keySet().forEach(f -> all.add(f.toString()));
    var e = Launcher.run(all.toArray(String[]::new));
    assertEquals(1, e.status());
    assertTrue(e.text().contains("6 of 7 pictures could not be read"), e.text());
    assertEquals(1, Files.readAllLines(folder.resolve("features.jsonl")).size());
    fails("binary.txt is no UTF-8 text", "embed", model.toString(),
        Files.write(folder.resolve("binary.txt"), new byte[] {(byte) 0xff, 0, 1}).toString());
  }

  /// Broken pictures and captions in training and evaluation: counted, never a stop.
  @Test void trainingCountsAndGoesOn() throws IOException {
    var table = new StringBuilder("filepath\ttitle\n");
    for (int i = 0; i < 16; i++)
      table.append(pictures.resolve("p%02d.png".formatted(i))).append("\tcolour ").append(i).append('\n');
    BROKEN.keySet().forEach(f -> table.append(f).append("\tbroken\n"));
    table.append(pictures.resolve("p00.png")).append("\t \n").append(pictures.resolve("p01.png")).append('\t')
        .append("word ".repeat(5000)).append('\n');
    var file = Files.writeString(folder.resolve("broken.tsv"), table);
    var e = Launcher.run("train", "--model", Launcher.config(folder).toString(), "--train-data", file.toString(),
        "--val-data", file.toString(), "--batch-size", "23", "--steps", "3", "--warmup", "1",
        "--val-steps", "2", "--logs", folder.resolve("runs").toString(), "--name", "broken");
    assertEquals(0, e.status(), e.text());
    assertTrue(e.text().contains("1 row of " + file + " has no caption"), e.text());
    assertTrue(e.text().contains("3 captions were longer than 8 tokens and were cut"), e.text());
    // 6 in each of 3 epochs of one step
    assertTrue(e.text().contains("18 samples could not be read and were left out; the first: " + folder), e.text());
    assertTrue(e.text().contains("6 pictures could not be read"), e.text());
    assertTrue(Files.readAllLines(folder.resolve("runs/broken/metrics.jsonl")).stream()
        .allMatch(l -> l.contains("\"unreadable\":6")));
    var empty = Files.writeString(folder.resolve("allbroken.tsv"),
        "filepath\ttitle\n" + folder.resolve("zero.png") + "\ta\n" + folder.resolve("huge.png") + "\tb\n");
    fails("none of the 2 samples of step 0 could be read: " + folder, "train", "--model",
        Launcher.config(folder).toString(), "--train-data", empty.toString(), "--batch-size", "2", "--steps", "2",
        "--warmup", "1",
        "--logs", folder.resolve("runs").toString(), "--name", "allbroken");
  }

  @Test void captionFilesThatAreNoText() throws IOException {
    var some = Launcher.pictures(folder.resolve("captions"), 4);
    Files.write(some.resolve("p00.txt"), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 7});
    Files.write(some.resolve("p01.txt"), new byte[0]);
    Files.writeString(some.resolve("p02.txt"), "a\0b");
    var e = Launcher.run("eval", model.toString(), "--val-data", some.toString());
    assertEquals(0, e.status(), e.text());
    assertTrue(e.text().contains("3 pictures of " + some + " have no caption")
        && e.text().contains("1 image, 1 name"), e.text());
  }

  @Test void tables() throws IOException {
    var picture = pictures.resolve("p00.png");
    var byteOrderMark = Files.writeString(folder.resolve("bom.csv"),
        "\ufefffilepath,title\r\n" + picture + ",\"a \"\"red\"\", round\nthing\"\r\n");
    assertTrue(Launcher.run("eval", model.toString(), "--val-data", byteOrderMark.toString()).text()
        .contains("1 image, 1 name"));
    fails("nocolumn.csv has no column \"title\"; found [filepath, caption]", "eval", model.toString(), "--val-data",
        Files.writeString(folder.resolve("nocolumn.csv"), "filepath,caption\na.png,b\n").toString());
    fails("short.csv row 2 has 1 field, expected 2", "eval", model.toString(), "--val-data",
        Files.writeString(folder.resolve("short.csv"), "filepath,title\na.png\n").toString());
    fails("quotes.csv ends within quotes", "eval", model.toString(), "--val-data",
        Files.writeString(folder.resolve("quotes.csv"), "filepath,title\na.png,\"b\n").toString());
    fails("empty.csv is empty", "eval", model.toString(), "--val-data",
        Files.writeString(folder.resolve("empty.csv"), "").toString());
    fails("latin.csv is no UTF-8 text", "eval", model.toString(), "--val-data", Files.write(folder.resolve("latin.csv"),
        "filepath,title\na.png,\u00e9\n".getBytes(StandardCharsets.ISO_8859_1)).toString());
    fails("is no path", "eval", model.toString(), "--val-data",
        Files.writeString(folder.resolve("null.csv"), "filepath,title\na\0.png,b\n").toString());
    fails("--csv-separator \"ab\"", "eval", model.toString(), "--val-data", byteOrderMark.toString(), "--csv-separator",
        "ab");
    fails("nosuch does not exist", "eval", model.toString(), "--val-data", folder.resolve("nosuch").toString());
  }

  @Test void configs() throws IOException {
    var bad = Files.writeString(folder.resolve("bad.json"), Launcher.CONFIG.replace("head_width", "head_with"));
    fails("bad.json: unknown key vision_cfg.head_with. Did you mean head_width?", "train", "--model", bad.toString());
    var wrong = Files.writeString(folder.resolve("wrong.json"),
        Launcher.CONFIG.replace("\"width\": 8", "\"width\": \"wide\""));
    fails("width is \"wide\", expected a whole number", "train", "--model", wrong.toString());
    fails("broken.json", "train", "--model", Files.writeString(folder.resolve("broken.json"), "{\"embed_dim\": ")
        .toString());
    fails("Did you mean ViT-B-32", "train", "--model", "ViT-B-33");
    fails("unknown key vision_cfg.depth", "train", "--set", "vision_cfg.depth=3");
    fails("--warmup 50 is no less than the 10 steps", "train", "--steps", "10");
    fails("--batch-size 0, expected at least 1", "train", "--batch-size", "0");
  }

  @Test void checkpoints() throws IOException {
    var other = Files.createDirectories(folder.resolve("other"));
    Files.copy(model.resolve("open_clip_model.safetensors"), other.resolve("open_clip_model.safetensors"));
    var config = Files.readString(model.resolve("open_clip_config.json"));
    Files.writeString(other.resolve("open_clip_config.json"), config.replace("\"layers\" : 1", "\"layers\" : 2"));
    fails(other.toString(), "eval", other.toString());
    Files.writeString(other.resolve("open_clip_config.json"),
        config.replace("\"embed_dim\" : 8", "\"embed_dim\" : 16"));
    fails("Is it a checkpoint of another model?", "eval", other.toString());
    byte[] weights = Files.readAllBytes(model.resolve("open_clip_model.safetensors"));
    Files.writeString(other.resolve("open_clip_config.json"), config);
    Files.write(other.resolve("open_clip_model.safetensors"), Arrays.copyOf(weights, weights.length - 100));
    fails("open_clip_model.safetensors", "eval", other.toString());
    Files.write(other.resolve("open_clip_model.safetensors"), Arrays.copyOf(weights, 100));
    fails("the file is cut off, or is none", "eval", other.toString());
    Files.write(other.resolve("open_clip_model.safetensors"), new byte[0]);
    fails("open_clip_model.safetensors", "eval", other.toString());
    fails("holds no open_clip_config.json", "eval", pictures.toString());
    fails("no such file or folder", "eval", folder.resolve("nosuch").toString());
    fails("holds no run to resume", "train", "--resume", pictures.toString());
  }
}
