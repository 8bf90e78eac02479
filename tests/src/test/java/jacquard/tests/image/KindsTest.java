package jacquard.tests.image;

import static jacquard.tests.image.HandMade.bytes;
import static jacquard.tests.image.HandMade.joined;
import static jacquard.tests.image.Read.greys;
import static jacquard.tests.image.Read.refused;
import static jacquard.tests.image.Read.rgb;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Images;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import jacquard.tests.image.HandMade.Bits;
import jacquard.tests.image.HandMade.Tiff;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Rare kinds of files: the pixels that Pillow gives, or a refusal that names the kind.
class KindsTest {
  /// Small files whose fields count.
  static List<byte[]> everyPacking() {
    byte[] rows = new byte[30 * 20];
    for (int i = 0; i < rows.length; i++) rows[i] = (byte) (i * 7);
    return List.of(new Tiff(30, 20).with(258, 8).with(262, 1).with(274, 3).strip(rows).file(),
        new Tiff(10, 20).with(258, 8, 8, 8).with(262, 2).with(277, 3).with(317, 2).with(259, 8)
        .strip(HandMade.deflated(rows)).file(),
        new Tiff(8, 2).with(262, 0).with(259, 4).strip(bytes(0b00110001, 0b11111100, 0)).file(),
        new Tiff(4, 1).with(258, 8).with(262, 1).with(259, 5).strip(bytes(0x80, 0x01, 0xE0, 0x40, 0x88, 0x08)).file(),
        new Tiff(30, 20).with(258, 1).with(262, 1).with(259, 32773).strip(bytes(-79, 5)).file(),
        HandMade.gif(bytes(), bytes(3, 0b10_001_100, 0b0_000_011_0, 0b1011), bytes(0, 0x3B)),
        HandMade.webp(new Bits().put(0x2F, 8).put(99, 14).put(99, 14).put(1, 1).put(0,
            6).only(20).only(10).only(30).only(128).put(1, 4).bytes()),
        joined(text("P5 30 20 255\n"), rows), joined(text("P1 8 10\n"), text("0 1 1 0 1 0 0 1 ".repeat(10))),
        HandMade.bmp(64, 90, new int[] {2, 2, 1 | 8 << 16, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0}, new byte[40]));
  }

  @Test void bmpOfOs2AndOfSizesThatSayNothing() throws ImageException {
    int[] fields = {2, 2, 1 | 8 << 16, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0};
    byte[] rest = bytes(1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 0, 1, 0, 0, 2, 2, 0, 0);
    assertArrayEquals(new int[] {9, 8, 7, 9, 8, 7, 3, 2, 1, 6, 5, 4},
        rgb(HandMade.bmp(64, 14 + 64 + 12, fields, rest)));
    int[] plain = {2, 1, 1 | 24 << 16, 0, 0, 0, 0, 0, 0};
    assertArrayEquals(new int[] {3, 2, 1, 6, 5, 4}, rgb(HandMade.bmp(40, 54, plain, bytes(1, 2, 3, 4, 5, 6, 0, 0))));
    // rows from below: two of colour 1, a stretch of colours 1 0 1 0 cut by the row; then three of colour 0
    int[] runs = {3, 2, 1 | 8 << 16, 1, 0, 0, 0, 2, 0};
    assertArrayEquals(new int[] {3, 2, 1, 3, 2, 1, 3, 2, 1, 6, 5, 4, 6, 5, 4, 3, 2, 1}, rgb(HandMade.bmp(40, 62, runs,
        bytes(1, 2, 3, 0, 4, 5, 6, 0, 2, 1, 0, 0, 3, 0))), "runs");
    refused("0x5", HandMade.bmp(40, 54, new int[] {0, 5, 1 | 24 << 16, 0, 0, 0, 0, 0, 0}, new byte[60]));
    refused("palette of 65537",
        HandMade.bmp(40, 54, new int[] {5, 5, 1 | 8 << 16, 0, 0, 0, 0, 65537, 0}, new byte[60]));
  }

  @Test void gifWithoutDataAndWithStrayBytes() throws ImageException {
    byte[] data = bytes(3, 0b10_001_100, 0b0_000_011_0, 0b1011); // clear, 1, 2, 3, 0, end
    int[] expected = {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7};
    assertArrayEquals(expected, rgb(HandMade.gif(bytes(), data, bytes(0, 0x3B))));
    assertArrayEquals(expected, rgb(HandMade.gif(bytes(0, 0, 7), data, bytes())), "stray bytes before, no terminator");
    refused("before the frame of 2x2 is full", HandMade.gif(bytes(), bytes(), bytes(0, 0x3B)));
    refused("without a frame", joined("GIF89a".getBytes(StandardCharsets.US_ASCII), bytes(2, 0, 2, 0, 0, 0, 0, 0x3B)));
  }

  @Test void pngOfTooFewRowsOrTooManyColours() throws ImageException {
    byte[] two = HandMade.deflated(bytes(0, 10, 20, 0, 30, 40));
    assertArrayEquals(new int[] {10, 20, 30, 40, 0, 0}, greys(HandMade.png(new int[] {2, 3, 8, 0, 0}, two)),
        "the third row is not there");
    refused("truncated", HandMade.png(new int[] {2, 3, 8, 0, 0}, HandMade.deflated(bytes(0, 10, 20, 0, 30))));
    assertArrayEquals(new int[] {1, 2, 3},
        rgb(HandMade.png(new int[] {1, 1, 8, 2, 0}, HandMade.deflated(bytes(0, 1, 2, 3)),
        HandMade.chunk("PLTE", new byte[771]))), "a palette that is a suggestion");
    refused("palette", HandMade.png(new int[] {1, 1, 8, 3, 0}, HandMade.deflated(bytes(0, 1)),
        HandMade.chunk("PLTE", new byte[771])));
    refused("filter 7", HandMade.png(new int[] {1, 1, 8, 0, 0}, HandMade.deflated(bytes(7, 1))));
    byte[] passes = HandMade.deflated(bytes(0, 1, 0, 2, 0, 3, 4)); // of 2 × 2 pixels passes 1, 6 and 7 have some
    assertArrayEquals(new int[] {1, 2, 3, 4}, greys(HandMade.png(new int[] {2, 2, 8, 0, 1}, passes)), "interlaced");
  }

  @Test void webpOfOneColour() throws ImageException {
    for (int size : new int[] {1, 100, 4999}) {
      byte[] picture = new Bits().put(0x2F, 8).put(size - 1, 14).put(size - 1, 14).put(1, 1).put(0, 3).put(0, 1)
          .put(0, 1).put(0, 1)
          .only(20).only(10).only(30).only(128).put(1, 1).put(0, 1).put(0, 1).put(0, 1).bytes();
      long start = System.nanoTime();
      Picture found = Images.read(HandMade.webp(picture), "file");
      assertEquals(Mode.RGBA, found.mode());
      byte[] expected = new byte[4 * size * size];
      for (int i = 0; i < expected.length; i += 4) System.arraycopy(bytes(10, 20, 30, 128), 0, expected, i, 4);
      assertTrue(Arrays.equals(expected, found.samples()));
      assertTrue(System.nanoTime() - start < 20e9, "25 million pixels in " + (System.nanoTime() - start) / 1e9 + " s");
      refused("WebP", HandMade.webp(Arrays.copyOf(picture, picture.length - 3)));
    }
  }

  private static byte[] chunk(String type, byte[]... parts) {
    byte[] data = joined(parts), size = {(byte) data.length, (byte) (data.length >> 8), 0, 0};
    return joined(text(type), size, data, new byte[data.length & 1]);
  }

  /// Later frames of a moving picture are sound too, or Pillow refuses it.
  @Test void webpThatMoves() throws ImageException {
    byte[] one = new Bits().put(0x2F, 8).put(1, 14).put(1, 14).put(0, 1).put(0, 3).put(0, 1).put(0, 1).put(0, 1)
        .only(20).only(10).only(30).only(255).put(1, 1).put(0, 1).put(0, 1).put(0, 1).bytes();
    byte[] header = bytes(0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 9, 0, 0, 0), canvas = bytes(2, 0, 0, 0, 1, 0, 0, 1, 0, 0);
    byte[] still = chunk("ANMF", header, chunk("VP8L", one)), wide = header.clone(), other = one.clone();
    wide[6] = 2;
    other[0] = 0;
    for (byte[] second : List.of(still, chunk("ANMF", header, chunk("VP8L", other)), chunk("ANMF", header),
        chunk("ANMF", wide, chunk("VP8L", one)), chunk("ANMF", header, chunk("VP8 ", one)))) {
      byte[] file = chunk("RIFF", text("WEBP"), chunk("VP8X", canvas), chunk("ANIM", new byte[6]), still, second);
      if (second == still) assertArrayEquals(new int[] {10, 20, 30, 10, 20, 30, 10, 20, 30, 10, 20, 30}, rgb(file));
      else refused("broken WebP (the frame at byte ", file);
    }
  }

  @Test void iconsAndNetpbm() throws ImageException {
    byte[] pixels = joined(bytes(40, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 32, 0), new byte[24],
        bytes(1, 2, 3, 99, 0, 0, 0, 0));
    byte[] icon = joined(bytes(0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 32, 0, pixels.length, 0, 0, 0, 22, 0, 0, 0), pixels);
    assertArrayEquals(bytes(3, 2, 1, 99), Images.read(icon, "file").samples());
    byte[] png = HandMade.png(new int[] {1, 1, 8, 2, 0}, HandMade.deflated(bytes(0, 1, 2, 3)));
    assertArrayEquals(new int[] {1, 2, 3}, rgb(joined(bytes(0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 32, 0, png.length, 0,
        0, 0, 22, 0, 0, 0), png)));
    assertArrayEquals(new int[] {0, 255, 255, 0}, greys(text("P1\n# a comment\n2 2\n10\n0 1\n")));
    assertArrayEquals(new int[] {0, 128, 255}, greys(text("P2 3 1 2\n0 1 2\n")));
    assertArrayEquals(new int[] {1, 2, 3}, rgb(text("P3 1 1 255\n1 2 3\n")));
    assertArrayEquals(new int[] {0, 255}, greys(joined(text("P4\n2 1\n"), bytes(0b10000000))));
    assertArrayEquals(new int[] {7, 8}, greys(joined(text("P5 2 1 255\n"), bytes(7, 8))));
    assertArrayEquals(new int[] {7, 8, 9}, rgb(joined(text("P6 1 1 255\n"), bytes(7, 8, 9))));
    assertArrayEquals(new int[] {255, 1}, greys(joined(text("P5 2 1 65535\n"), bytes(1, 0, 0, 1))),
        "clipped, not shifted");
    refused("truncated", joined(text("P6 4999 4999 255\n"), bytes(7, 8, 9)));
  }

  private static byte[] text(String text) { return text.getBytes(StandardCharsets.US_ASCII); }

  @Test void whatIsNotReadIsNamed() {
    byte[] targa = new byte[40];
    targa[2] = 2;
    targa[16] = 24;
    var kinds = List.of(Map.entry("AVIF", joined(bytes(0, 0, 0, 32), text("ftypavif"))),
        Map.entry("HEIC", joined(bytes(0, 0, 0, 32),
        text("ftypheic"))), Map.entry("JPEG 2000", joined(bytes(0, 0, 0, 12), text("jP  \r\n"))),
        Map.entry("QOI", text("qoif....")),
        Map.entry("PSD", text("8BPS....")), Map.entry("TGA", targa), Map.entry("a Git LFS pointer",
            text("version https://git-lfs.github.com")),
        Map.entry("HTML", text("<!DOCTYPE html><p>404")));
    for (var kind : kinds) refused(kind.getKey(), kind.getValue());
  }
}
