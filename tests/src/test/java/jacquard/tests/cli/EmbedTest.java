package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.eval.FeatureFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `embed`: rows as they come, of any number, that outlive a kill.
class EmbedTest {
  @TempDir static Path folder;
  private static Path pictures, model;

  @BeforeAll static void prepare() throws IOException {
    pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    assertEquals(0, Launcher.run(Launcher.train(folder, pictures, "good", 4)).status());
    model = folder.resolve("runs/good/last");
  }

  /// The rows of a .npy file, by its header.
  private static float[][] npy(Path file) throws IOException {
    var b = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int length = b.getShort(8);
    assertEquals(0, (10 + length) % 64);
    var header = new String(b.array(), 10, length, StandardCharsets.US_ASCII);
    var m = Pattern.compile("\\{'descr': '<f4', 'fortran_order': False, 'shape': \\((\\d+), (\\d+)\\), } *\n")
        .matcher(header);
    assertTrue(m.matches(), header);
    var rows = new float[Integer.parseInt(m.group(1))][Integer.parseInt(m.group(2))];
    b.position(10 + length);
    for (float[] row : rows) { b.asFloatBuffer().get(row); b.position(b.position() + 4 * row.length); }
    assertFalse(file.toString().endsWith(".npy") && b.hasRemaining(), "bytes behind the rows");
    return rows;
  }

  private static Launcher.Ended embed(String out, String... inputs) {
    var all = new java.util.ArrayList<>(List.of("embed", model.toString(), "--out", folder.resolve(out).toString()));
    all.addAll(List.of(inputs));
    return Launcher.run(all.toArray(String[]::new));
  }

  /// Every line is a row, a blank one too; a byte-order mark and CR LF are no text; endings in any case; no .npy.npy.
  @Test void aRowALine() throws IOException {
    var texts = Files.writeString(folder.resolve("LINES.TXT"), "\ufeffa cat\r\n\r\na c\u00e4t \u732b\r\n");
    var e = embed("lines.npy", texts.toString(), "--text", "a c\u00e4t \u732b");
    assertEquals(0, e.status(), e.text());
    float[][] rows = npy(folder.resolve("lines.npy"));
    assertEquals(4, rows.length);
    assertArrayEquals(rows[0], rows[3]);
    assertEquals(List.of("{\"row\":0,\"text\":\"a c\u00e4t \u732b\"}", "{\"row\":1,\"text\":\"a cat\"}",
        "{\"row\":2,\"text\":\"\"}", "{\"row\":3,\"text\":\"a c\u00e4t \u732b\"}"),
        Files.readAllLines(folder.resolve("lines.jsonl")));
    try (var left = Files.list(folder)) {
      assertTrue(left.noneMatch(f -> f.toString().contains(".part")), "parts are left");
    }
  }

  @Test void filesAreCountedByTheirEnding() throws IOException {
    var mixed = Files.createDirectories(folder.resolve("mixed"));
    for (var name : List.of("a.png", "b.jfif", "c.JPE", "d.PNG"))
      Files.copy(pictures.resolve("p00.png"), mixed.resolve(name));
    for (var name : List.of("x.heic", "y.HEIC", "z.mp4", "README")) Files.writeString(mixed.resolve(name), "x");
    Files.createDirectories(mixed.resolve("folder.png"));
    var e = embed("features-of-mixed", mixed.toString());
    assertEquals(0, e.status(), e.text());
    assertTrue(e.text().contains("left out, no pictures by their ending: 1 without an ending, 2 .heic, 1 .mp4"),
        e.text());
    assertEquals(4, npy(folder.resolve("features-of-mixed.npy")).length);
  }

  /// Links are followed, one that leads back too; what cannot be listed is skipped and said.
  @Test void foldersThatCannotBeListedAreSkipped() throws IOException {
    var top = Files.createDirectories(folder.resolve("linked"));
    Files.createDirectories(top.resolve("below"));
    Files.copy(pictures.resolve("p00.png"), top.resolve("below/a.png"));
    Files.createSymbolicLink(top.resolve("others"), pictures);
    assertEquals(0, embed("followed", top.toString()).status());
    assertEquals(17, npy(folder.resolve("followed.npy")).length);
    Files.createSymbolicLink(folder.resolve("here"), pictures);
    assertEquals(0, embed("itself", folder.resolve("here").toString()).status());
    Files.createSymbolicLink(top.resolve("below/back"), top);
    var e = embed("skipped", top.toString());
    assertEquals(1, e.status(), e.text());
    assertTrue(e.text().contains("1 folder skipped: " + top.resolve("below/back") + ": the folder contains itself"),
        e.text());
    assertEquals(17, npy(folder.resolve("skipped.npy")).length);
  }

  /// Before the model is read.
  @Test void whereToWriteIsTriedFirst() throws IOException {
    var e = Launcher.run("embed", folder.resolve("nosuchmodel").toString(), "--text", "a", "--out",
        folder.resolve("nodir/f").toString());
    assertEquals(1, e.status());
    assertTrue(e.text().contains("nodir is no folder"), e.text());
    Files.createDirectories(folder.resolve("taken.npy"));
    assertTrue(embed("taken", "--text", "a").text().contains("taken.npy is a folder"));
    assertTrue(embed("nothing").text().contains("nothing to embed"));
    assertTrue(embed("nomodel", folder.resolve("absent.txt").toString()).text()
        .contains("absent.txt: no such file or folder"));
  }

  /// Killed in the midst, gone on with: the bytes of a run that was not; the rows so far are a sound file meanwhile.
  @Test void aKillLosesNothing() throws Exception {
    int n = 4000;
    var lines = new StringBuilder();
    for (int i = 0; i < n; i++) lines.append("text number ").append(i).append(i % 7 == 0 ? "\n" : " or so\n");
    var texts = Files.writeString(folder.resolve("many.txt"), lines).toString();
    assertEquals(0, embed("whole", pictures.toString(), texts).status());
    var part = folder.resolve("killed.npy.part");
    var p = Launcher.start(folder.resolve("killed.out"), List.of(), "embed", model.toString(), pictures.toString(),
        texts, "--out", folder.resolve("killed").toString());
    while (p.isAlive() && (!Files.exists(part) || Files.size(part) < 128 + 500 * 8 * 4)) Thread.sleep(5);
    p.destroyForcibly().waitFor(1, TimeUnit.MINUTES);
    assertFalse(Files.exists(folder.resolve("killed.npy")), "it was done before it was killed");
    float[][] whole = npy(folder.resolve("whole.npy")), some = npy(part);
    assertTrue(some.length >= 64 && some.length < n, some.length + " rows");
    assertTrue(Arrays.deepEquals(Arrays.copyOf(whole, some.length), some));
    var changed = embed("killed", pictures.toString(), texts, "--text", "one more", "--resume");
    assertEquals(1, changed.status());
    assertTrue(changed.text().contains("begun with another model or other inputs"), changed.text());
    var e = embed("killed", pictures.toString(), texts, "--resume");
    assertEquals(0, e.status(), e.text());
    assertTrue(e.text().contains("going on behind the first"), e.text());
    assertArrayEquals(Files.readAllBytes(folder.resolve("whole.npy")),
        Files.readAllBytes(folder.resolve("killed.npy")));
    assertArrayEquals(Files.readAllBytes(folder.resolve("whole.jsonl")),
        Files.readAllBytes(folder.resolve("killed.jsonl")));
  }

  /// Nothing says of which inputs a finished file is: it is neither taken for theirs nor replaced.
  @Test void nothingIsGoneOnWithThatIsFinished() throws IOException {
    assertEquals(0, embed("finished", "--text", "a").status());
    byte[] before = Files.readAllBytes(folder.resolve("finished.npy"));
    var e = embed("finished", "--text", "a", "--text", "b", "--resume");
    assertEquals(1, e.status());
    assertTrue(e.text().contains("finished.npy is finished"), e.text());
    assertArrayEquals(before, Files.readAllBytes(folder.resolve("finished.npy")));
  }

  /// Behind 2³¹ bytes: what 8,200 rows of 65,536 are. The file system keeps what is not written as holes.
  @Test void beyondTwoGibibytes() throws IOException {
    int width = 65_536, count = 32_768 + 2;
    try (var f = new FeatureFile(folder.resolve("wide").toString(), false)) {
      f.begin("x");
      f.write("text", List.of("a"), new float[][] {new float[width]});
    }
    // As if all but the last two rows had been written before.
    Files.writeString(folder.resolve("wide.part"), Files.readString(folder.resolve("wide.part"))
        .replaceFirst("\"rows\": 1\\b", "\"rows\": " + (count - 2))
        .replaceFirst("\"inputs\": 1\\b", "\"inputs\": " + (count - 2)));
    try (var sparse = java.nio.channels.FileChannel.open(folder.resolve("wide.npy.part"),
        java.nio.file.StandardOpenOption.WRITE)) {
      sparse.write(ByteBuffer.allocate(4), 128 + 4L * width * (count - 2) - 4);
    }
    var last = new float[width];
    last[width - 1] = 7;
    try (var f = new FeatureFile(folder.resolve("wide").toString(), true)) {
      f.begin("x");
      assertEquals(count - 2, f.done());
      f.write("text", List.of("b", "c"), new float[][] {last, last});
      f.finish();
    }
    var file = folder.resolve("wide.npy");
    assertEquals(128 + 4L * width * count, Files.size(file));
    try (var channel = java.nio.channels.FileChannel.open(file)) {
      var b = ByteBuffer.allocate(128).order(ByteOrder.LITTLE_ENDIAN);
      channel.read(b, 0);
      assertTrue(new String(b.array(), StandardCharsets.ISO_8859_1).contains("(" + count + ", " + width + ")"));
      b.clear().limit(4);
      channel.read(b, Files.size(file) - 4);
      assertEquals(7f, b.getFloat(0));
    }
    Files.delete(file);
  }

  /// Pictures whose pixels are more than the heap together: each is decoded, resized and dropped. 40 of 6 million
  /// pixels are 720 MB beside a heap of 512.
  @Test void largePicturesInASmallHeap() throws Exception {
    var large = Files.createDirectories(folder.resolve("large"));
    var image = new java.awt.image.BufferedImage(3000, 2000, java.awt.image.BufferedImage.TYPE_3BYTE_BGR);
    javax.imageio.ImageIO.write(image, "png", large.resolve("p00.png").toFile());
    for (int i = 1; i < 40; i++) Files.createLink(large.resolve("p%02d.png".formatted(i)), large.resolve("p00.png"));
    var out = folder.resolve("large.out");
    var p = Launcher.start(out, List.of(), "embed", model.toString(), large.toString(), "--out",
        folder.resolve("large-features").toString());
    assertTrue(p.waitFor(4, TimeUnit.MINUTES));
    assertEquals(0, p.exitValue(), Files.readString(out));
    assertEquals(Collections.nCopies(40, 8), Arrays.stream(npy(folder.resolve("large-features.npy"))).map(r -> r.length)
        .toList());
  }
}
