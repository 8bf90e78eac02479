package jacquard.tests.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Images;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What reading does with files that are not as they should be, and its options.
class ImagesTest {
  static Path source(String file) {
    try {
      return Path.of(ImagesTest.class.getResource("/fixtures/images/src/" + file).toURI());
    } catch (URISyntaxException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private static String refusal(byte[] bytes, String name) {
    String message = assertThrows(ImageException.class, () -> Images.read(bytes, name), name).getMessage();
    assertTrue(message.startsWith(name + ": "), message);
    return message;
  }

  @Test void absentEmptyAndForeignFilesAreNamed(@TempDir Path folder) throws IOException {
    Path absent = folder.resolve("absent.png"), empty = Files.createFile(folder.resolve("empty.png"));
    assertTrue(assertThrows(ImageException.class, () -> Images.read(absent)).getMessage()
        .contains("absent.png: no such file"));
    assertTrue(assertThrows(ImageException.class, () -> Images.read(empty)).getMessage().contains("0 bytes"));
    assertTrue(assertThrows(ImageException.class, () -> Images.read(folder)).getMessage().contains("a folder"));
    assertTrue(refusal("hello, world".getBytes(StandardCharsets.US_ASCII), "text").contains("68 65 6c 6c"));
  }

  private static byte[] png(int width, int height, int data) throws IOException {
    var out = new ByteArrayOutputStream();
    out.write(Files.readAllBytes(source("tiny.png")), 0, 8);
    chunk(out, "IHDR", ByteBuffer.allocate(13).putInt(width).putInt(height).put(new byte[] {8, 2, 0, 0, 0}).array());
    chunk(out, "IDAT", new byte[data]);
    chunk(out, "IEND", new byte[0]);
    return out.toByteArray();
  }

  private static void chunk(ByteArrayOutputStream out, String type, byte[] data) {
    byte[] body = ByteBuffer.allocate(4 + data.length).put(type.getBytes(StandardCharsets.US_ASCII)).put(data).array();
    var sum = new CRC32();
    sum.update(body);
    out.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
    out.writeBytes(body);
    out.writeBytes(ByteBuffer.allocate(4).putInt((int) sum.getValue()).array());
  }

  @Test void aHugeHeaderIsRefusedBeforeAnythingIsAllocated() throws IOException {
    assertTrue(refusal(png(100_000, 100_000, 10), "huge.png").contains("100000x100000"));
    assertTrue(refusal(png(-1, 5, 10), "negative.png").contains("-1x5"));
    assertTrue(refusal(png(5000, 5000, 10), "hollow.png").contains("10 bytes of data cannot hold"));
    byte[] jpeg = Files.readAllBytes(source("rgb.jpg"));
    for (int i = 0; i < jpeg.length - 9; i++)
      if ((jpeg[i] & 255) == 0xFF && (jpeg[i + 1] & 255) == 0xC0) ByteBuffer.wrap(jpeg).putInt(i + 5, -1);
    assertTrue(refusal(jpeg, "huge.jpg").contains("65535x65535"));
    byte[] gif = Files.readAllBytes(source("gif.gif"));
    ByteBuffer.wrap(gif).putInt(6, -1);
    assertTrue(refusal(gif, "huge.gif").contains("65535x65535"));
    byte[] bmp = Files.readAllBytes(source("bmp.bmp"));
    ByteBuffer.wrap(bmp).putInt(18, 0x10270000).putInt(22, 0x10270000); // 10,000 with the low byte first
    refusal(bmp, "huge.bmp");
  }

  @Test void theLimitOfPixelsIsAnOption() throws IOException {
    Path file = source("rgb.png"); // 97x61 = 5917
    assertEquals(97, Images.read(file, Images.Options.DEFAULT.maximumPixels(5917)).width());
    assertThrows(ImageException.class, () -> Images.read(file, Images.Options.DEFAULT.maximumPixels(5916)));
    assertThrows(IllegalArgumentException.class, () -> Images.Options.DEFAULT.maximumPixels(0));
  }

  private static final List<String> EVERY_FORMAT =
      List.of("rgb.png", "palette.png", "gray16.png", "bilevel.png", "rgb.jpg",
      "progressive.jpg", "cmyk.jpg", "gray.jpg", "gif.gif",
      "bmp.bmp", "tiff.tif", "webp_lossy.webp", "webp_lossless.webp");

  /// Nothing of a picture may be missing: cut at many places, each file is refused, unless what is cut off holds no
  /// samples.
  @Test void truncatedFilesAreRefused() throws IOException {
    for (String name : EVERY_FORMAT) {
      byte[] whole = Files.readAllBytes(source(name));
      for (int part = 0; part < 60; part++) {
        byte[] cut = Arrays.copyOf(whole, (int) ((long) (whole.length - 20) * part / 60));
        refusal(cut, name);
      }
    }
  }

  /// Broken files are refused or give some picture, within a second or so and 256 MB, and never another exception.
  @Test void mutantsNeverEscape() throws IOException {
    var random = new SplittableRandom(7);
    List<byte[]> files = new ArrayList<>();
    for (String name : EVERY_FORMAT) files.add(Files.readAllBytes(source(name)));
    files.addAll(KindsTest.everyPacking());
    var memory = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    int refused = 0, tried = 0;
    for (int file = 0; file < files.size(); file++) {
      for (int kind = 0; kind < 7; kind++) {
        for (int trial = 0; trial < 6; trial++, tried++) {
          byte[] broken = mutant(files.get(file), files.get(random.nextInt(files.size())), kind, random);
          long start = System.nanoTime(), taken = memory.getCurrentThreadAllocatedBytes();
          try {
            Images.read(broken, "mutant", Images.Options.DEFAULT.upright(true));
          } catch (ImageException expected) {
            refused++;
          }
          taken = memory.getCurrentThreadAllocatedBytes() - taken;
          assertTrue(taken < 256 << 20, "%,d bytes taken by mutant %d.%d.%d".formatted(taken, file, kind, trial));
          // a second when idle
          assertTrue(System.nanoTime() - start < 20e9, "mutant %d.%d.%d takes long".formatted(file, kind, trial));
        }
      }
    }
    assertTrue(refused > tried / 5 && refused < tried, refused + " of " + tried);
  }

  /// Random bytes anywhere or in the header, a cut, a head with another's tail, a stretch doubled, one blanked, a field
  /// of extremes.
  private static byte[] mutant(byte[] file, byte[] other, int kind, SplittableRandom random) {
    byte[] b = file.clone();
    int at = random.nextInt(b.length), end = Math.min(b.length, at + random.nextInt(1, 65));
    switch (kind) {
      case 0, 1 -> {
        for (int hits = 1 << random.nextInt(7); hits > 0; hits--)
          b[random.nextInt(kind == 0 ? b.length : Math.min(200, b.length))] = (byte) random.nextInt();
      }
      case 2 -> { return Arrays.copyOf(b, Math.max(1, at)); }
      case 3 -> {
        return HandMade.joined(Arrays.copyOf(b, at),
            Arrays.copyOfRange(other, random.nextInt(other.length), other.length));
      }
      case 4 -> { return HandMade.joined(Arrays.copyOf(b, end), Arrays.copyOfRange(b, at, b.length)); }
      case 5 -> Arrays.fill(b, at, end, (byte) -random.nextInt(2));
      default -> ByteBuffer.wrap(b)
          .putInt(random.nextInt(Math.min(400, b.length - 4)), new int[] {-1, Integer.MAX_VALUE, 0, 127}[
          random.nextInt(4)]);
    }
    return b;
  }

  @Test void exifOrientationIsAnOption() throws IOException {
    Path file = source("exif_rotated.jpg"); // tag 6: a quarter turn clockwise makes it upright
    Picture stored = Images.read(file), upright = Images.read(file, Images.Options.DEFAULT.upright(true));
    assertEquals(97, stored.width());
    assertEquals(61, stored.height());
    assertEquals(61, upright.width());
    assertEquals(97, upright.height());
    for (int y = 0; y < 97; y++)
      for (int x = 0; x < 61; x++)
        for (int c = 0; c < 3; c++)
          assertEquals(stored.pixels().sample(y, 60 - x, c), upright.pixels().sample(x, y, c));
  }

  /// Numbered clockwise from the top left, the eight orientations of [1 2; 3 4] are these.
  @Test void eachOrientation() {
    Picture picture = Picture.of(Mode.GREY, 2, 2, new byte[] {1, 2, 3, 4});
    byte[][] expected = {{1, 2, 3, 4}, {2, 1, 4, 3}, {4, 3, 2, 1}, {3, 4, 1, 2}, {1, 3, 2, 4}, {3, 1, 4, 2},
        {4, 2, 3, 1}, {2, 4, 1, 3}};
    for (int orientation = 1; orientation <= 8; orientation++)
      assertEquals(Picture.of(Mode.GREY, 2, 2, expected[orientation - 1]), picture.upright(orientation),
          "orientation " + orientation);
  }

  @Test void modesAreThoseOfTheFiles() throws IOException {
    assertEquals(Mode.PALETTE, Images.read(source("palette_transparent.png")).mode());
    assertEquals(Mode.PALETTE, Images.read(source("gif.gif")).mode());
    assertEquals(Mode.BILEVEL, Images.read(source("bilevel.png")).mode());
    assertEquals(Mode.GREY, Images.read(source("gray.png")).mode());
    assertEquals(Mode.GREY16, Images.read(source("gray16.png")).mode());
    assertEquals(Mode.GREY_ALPHA, Images.read(source("la.png")).mode());
    assertEquals(Mode.RGBA, Images.read(source("rgba.png")).mode());
    assertEquals(Mode.CMYK, Images.read(source("cmyk.jpg")).mode());
  }

  @Test void manyThreadsReadTheSame() throws Exception {
    List<Picture> expected = new ArrayList<>();
    for (String name : EVERY_FORMAT) expected.add(Images.read(source(name)));
    try (var threads = Executors.newFixedThreadPool(8)) {
      List<Callable<Boolean>> work = new ArrayList<>();
      for (int round = 0; round < 8; round++)
        for (int i = 0; i < EVERY_FORMAT.size(); i++) {
          int index = i;
          work.add(() -> expected.get(index).equals(Images.read(source(EVERY_FORMAT.get(index)))));
        }
      for (var done : threads.invokeAll(work)) assertTrue(done.get());
    }
    assertFalse(expected.get(0).equals(expected.get(1)));
  }
}
