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
import java.lang.module.ModuleFinder;
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
import javax.imageio.spi.ImageReaderSpi;
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
    assertTrue(assertThrows(ImageException.class, () -> Images.read(absent)).getMessage().contains("absent.png: no such file"));
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

  private static final List<String> EVERY_FORMAT = List.of("rgb.png", "palette.png", "gray16.png", "bilevel.png", "rgb.jpg",
      "progressive.jpg", "cmyk.jpg", "gray.jpg", "gif.gif",
      "bmp.bmp", "tiff.tif", "webp_lossy.webp", "webp_lossless.webp");

  /// Nothing of a picture may be missing: cut at many places, each file is refused, unless what is cut off holds no samples.
  @Test void truncatedFilesAreRefused() throws IOException {
    for (String name : EVERY_FORMAT) {
      byte[] whole = Files.readAllBytes(source(name));
      for (int part = 0; part < 60; part++) {
        byte[] cut = Arrays.copyOf(whole, (int) ((long) (whole.length - 20) * part / 60));
        refusal(cut, name);
      }
    }
  }

  /// Broken files are refused or give some picture, but never another exception, and never an endless loop.
  @Test void corruptFilesNeverEscape() throws IOException {
    var random = new SplittableRandom(7);
    int refused = 0, tried = 0;
    for (String name : EVERY_FORMAT) {
      byte[] whole = Files.readAllBytes(source(name));
      for (int trial = 0; trial < 150; trial++, tried++) {
        byte[] broken = whole.clone();
        int first = trial % 2 == 0 ? Math.min(100, broken.length) : broken.length; // every other time in the header
        for (int hits = random.nextInt(1, 6); hits > 0; hits--) broken[random.nextInt(first)] = (byte) random.nextInt();
        try {
          Images.read(broken, name, Images.Options.DEFAULT.maximumPixels(1 << 20).upright(true));
        } catch (ImageException expected) {
          refused++;
        }
      }
    }
    assertTrue(refused > tried / 5 && refused < tried, refused + " of " + tried);
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
        for (int c = 0; c < 3; c++) assertEquals(stored.pixels().sample(y, 60 - x, c), upright.pixels().sample(x, y, c));
  }

  /// Numbered clockwise from the top left, the eight orientations of [1 2; 3 4] are these.
  @Test void eachOrientation() {
    Picture picture = Picture.of(Mode.GREY, 2, 2, new byte[] {1, 2, 3, 4});
    byte[][] expected = {{1, 2, 3, 4}, {2, 1, 4, 3}, {4, 3, 2, 1}, {3, 4, 1, 2}, {1, 3, 2, 4}, {3, 1, 4, 2}, {4, 2, 3, 1}, {2, 4, 1, 3}};
    for (int orientation = 1; orientation <= 8; orientation++)
      assertEquals(Picture.of(Mode.GREY, 2, 2, expected[orientation - 1]), picture.upright(orientation), "orientation " + orientation);
  }

  /// Decoders are looked up as services, which a named module may only do if it says so; these tests run without modules.
  @Test void theModuleSaysThatItUsesDecoders() throws URISyntaxException {
    Path classes = Path.of(Images.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    assertTrue(ModuleFinder.of(classes).find("jacquard.clip").orElseThrow().descriptor().uses().contains(ImageReaderSpi.class.getName()));
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
