package jacquard.tests.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
import jacquard.tests.Fork;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Kinds of JPEG, with libjpeg-turbo where this machine has it, and without; and the frames of lossy WebP files, with
/// libwebp and without.
class JpegKindsTest {
  private static final List<String> FILES =
      List.of("rgb.jpg", "rgb_444.jpg", "rgb_q30_420.jpg", "gray.jpg", "cmyk.jpg", "progressive.jpg",
      "wide.jpg", "exif_rotated.jpg", "big.jpg", "webp_lossy.webp", "webp_lossless.webp");
  private static final boolean LIBRARY = Images.jpegDecoder().equals("libjpeg-turbo");

  /// Prints a hash of each file's picture; the process decides which decoder.
  static final class Hashes {
    public static void main(String[] args) throws IOException {
      System.out.println(Images.jpegDecoder() + " " + Images.webpDecoder());
      for (String file : FILES) System.out.println(Arrays.hashCode(Images.read(ImagesTest.source(file)).samples()));
    }
  }

  @Test void bothDecodersGiveTheSamePixels() throws Exception {
    List<String> platform = Fork.run(List.of("-Djacquard.image.platform=true"), Hashes.class);
    assertTrue(platform.getFirst().matches("ImageIO \\(.*\\) Java \\(.*\\)"), platform.getFirst());
    List<String> expected = new ArrayList<>();
    for (String file : FILES)
      expected.add(String.valueOf(Arrays.hashCode(Images.read(ImagesTest.source(file)).samples())));
    assertEquals(expected, platform.subList(1, platform.size()));
  }

  /// A file whose quantization steps are all 255: samples far beyond the range, as no encoder makes them.
  private static byte[] wild(String source) throws IOException {
    byte[] file = Files.readAllBytes(ImagesTest.source(source));
    for (int[] s : segments(file))
      for (int at = s[1] + 4; s[0] == 0xDB && at < s[2]; at += 65) Arrays.fill(file, at + 1, at + 65, (byte) 255);
    return file;
  }

  /// Prints a hash of each damaged file's picture, or that it is refused.
  static final class Damaged {
    public static void main(String[] args) throws IOException {
      all().forEach(System.out::println);
    }

    static List<String> all() throws IOException {
      List<String> hashes = new ArrayList<>();
      for (String name : List.of("rgb_444.jpg", "progressive.jpg", "rgb.jpg")) hashes.add(hash(wild(name)));
      var random = new SplittableRandom(20);
      for (String name : List.of("rgb_444.jpg", "gray.jpg", "progressive.jpg", "webp_lossy.webp")) {
        byte[] file = Files.readAllBytes(ImagesTest.source(name));
        for (int i = 0; i < 250; i++) {
          byte[] damaged = file.clone();
          int from = random.nextInt(file.length / 8, file.length), to = Math.min(file.length, from + i % 20 + 1);
          if (i % 2 == 0) Arrays.fill(damaged, from, to, (byte) 255);
          else damaged[from] = (byte) random.nextInt();
          hashes.add(hash(damaged));
        }
      }
      return hashes;
    }

    private static String hash(byte[] file) {
      try {
        return String.valueOf(Arrays.hashCode(Images.read(file, "file").samples()));
      } catch (ImageException refused) {
        return "refused";
      }
    }
  }

  /// ImageIO reads damaged JPEG data as the library does or refuses them; WebP's two decoders do the same.
  @Test void damagedDataAreReadAlike() throws Exception {
    List<String> expected = Damaged.all();
    List<String> platform = Fork.run(List.of("-Djacquard.image.platform=true"), Damaged.class);
    assertEquals(expected.size(), platform.size());
    int read = 0;
    for (int i = 0; i < expected.size(); i++) {
      boolean webp = i >= expected.size() - 250;
      if (webp || !platform.get(i).equals("refused")) assertEquals(expected.get(i), platform.get(i), "file " + i);
      if (!platform.get(i).equals("refused")) read++;
    }
    assertEquals(List.of("refused", "refused", "refused"), platform.subList(0, 3));
    assertTrue(read > 100, read + " were read");
  }

  /// The segments of a file up to its scan: marker, from, to.
  private static List<int[]> segments(byte[] b) {
    List<int[]> segments = new ArrayList<>();
    for (int at = 2; ; ) {
      int marker = b[at + 1] & 255, end = at + 2 + ((b[at + 2] & 255) << 8 | b[at + 3] & 255);
      segments.add(new int[] {marker, at, marker == 0xDA ? b.length : end});
      if (marker == 0xDA) return segments;
      at = end;
    }
  }

  private static byte[] without(byte[] file, int marker) {
    var out = new ByteArrayOutputStream();
    out.write(file, 0, 2);
    for (int[] s : segments(file)) if (s[0] != marker) out.write(file, s[1], s[2] - s[1]);
    return out.toByteArray();
  }

  /// 8 × 32 pixels of even luma, chroma half as dense down: a Cb of one block beside a Cb of another. Blocks have a
  /// mean and nothing else.
  private static byte[] halfDown() {
    byte[] steps = new byte[65];
    Arrays.fill(steps, 1, 65, (byte) 8); // so a mean of 128 + d is a first coefficient of d
    byte[] frame = HandMade.bytes(0xFF, 0xC0, 0, 17, 8, 0, 32, 0, 8, 3, 1, 0x12, 0, 2, 0x11, 0, 3, 0x11, 0);
    byte[] scan = HandMade.bytes(0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0);
    byte[] first = HandMade.bytes(0xFF, 0xC4, 0, 21, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        7); // 0: no difference, 10: 7 bits
    // 0: the block ends
    byte[] other = HandMade.bytes(0xFF, 0xC4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    // four blocks of luma or chroma a part: 00 00, Cb +64 as 10 1000000 0, Cr 00; then Cb −64 from there, so 10 0111111
    // 0
    String bits = "0000" + "1010000000" + "00" + "0000" + "1001111110" + "00";
    bits += "1".repeat(8 - bits.length() % 8);
    byte[] data = new byte[bits.length() / 8];
    for (int i = 0; i < data.length; i++) data[i] = (byte) Integer.parseInt(bits.substring(8 * i, 8 * i + 8), 2);
    return HandMade.joined(HandMade.bytes(0xFF, 0xD8, 0xFF, 0xDB, 0, 67), steps, frame, first, other, scan, data,
        HandMade.bytes(0xFF, 0xD9));
  }

  /// Chroma of a row lies three parts near and one part far (rounded down and up in turn), and B = Y + 1.772·(Cb −
  /// 128).
  @Test void chromaHalfAsDenseDownIsSmoothed() throws ImageException {
    if (!LIBRARY) {
      assertTrue(assertThrows(ImageException.class, () -> Images.read(halfDown(), "file")).getMessage()
          .contains("1x2"));
      return;
    }
    Picture found = Images.read(halfDown(), "file");
    for (int y = 0; y < 32; y++) {
      int near = y / 2, far = Math.clamp(y % 2 == 0 ? near - 1 : near + 1, 0, 15);
      int cb = 3 * (near < 8 ? 192 : 128) + (far < 8 ? 192 : 128) + (y % 2 == 0 ? 1 : 2) >> 2;
      assertEquals((int) Math.min(255, Math.rint(128 + 1.772 * (cb - 128))), found.pixels().sample(3, y, 2),
          "row " + y);
      assertEquals(128, found.pixels().sample(3, y, 0));
    }
  }

  @Test void withoutTablesAndWithAnEmptyComment() throws IOException {
    var standard = new ByteArrayOutputStream();
    var image = new java.awt.image.BufferedImage(40, 30, java.awt.image.BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 1200; i++) image.setRGB(i % 40, i / 40, i * 7919);
    javax.imageio.ImageIO.write(image, "jpg", standard); // its tables are those of the standard
    byte[] file = standard.toByteArray();
    Picture expected = Images.read(file, "file");
    assertEquals(expected, Images.read(without(file, 0xC4), "file"));
    byte[] comment = HandMade.joined(Arrays.copyOf(file, 2), HandMade.bytes(0xFF, 0xFE, 0, 0),
        Arrays.copyOfRange(file, 2, file.length));
    assertEquals(expected, Images.read(comment, "file"));
    assertArrayEquals(expected.samples(), Images.read(HandMade.joined(file, new byte[9]), "file").samples(),
        "bytes after the end");
  }

  @Test void scansWithoutEndAndHalfOfThemAreRefused() throws IOException {
    byte[] file = Files.readAllBytes(ImagesTest.source("progressive.jpg"));
    int[] scan = segments(file).getLast();
    byte[] more = Arrays.copyOf(file, file.length - 2), part = Arrays.copyOfRange(file, scan[1], scan[1] + 40);
    for (int i = 0; i < 10; i++) part = HandMade.joined(part, part);
    byte[] many = HandMade.joined(more, part, HandMade.bytes(0xFF, 0xD9));
    assertTrue(assertThrows(ImageException.class, () -> Images.read(many, "file")).getMessage().contains("500 scans"));
    int second = scan[1] + 4;
    while (!(file[second] == -1 && ((file[second + 1] & 255) == 0xDA || (file[second + 1] & 255) == 0xC4))) second++;
    byte[] half = HandMade.joined(Arrays.copyOf(file, second), HandMade.bytes(0xFF, 0xD9));
    assertTrue(assertThrows(ImageException.class, () -> Images.read(half, "file")).getMessage()
        .contains("lacks scans"));
  }

  @Test void kindsThatOneDecoderLacksAreNamed() throws IOException {
    byte[] file = Files.readAllBytes(ImagesTest.source("rgb.jpg"));
    for (int[] s : segments(file)) if (s[0] == 0xC0) file[s[1] + 1] = (byte) 0xC3;
    String message = assertThrows(ImageException.class, () -> Images.read(file, "file")).getMessage();
    assertTrue(message.contains("lossless") || LIBRARY && message.contains("JPEG"), message);
  }
}
