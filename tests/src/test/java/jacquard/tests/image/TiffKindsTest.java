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
import jacquard.clip.image.Picture;
import jacquard.tests.Fork;
import jacquard.tests.image.HandMade.Tiff;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Rare kinds of TIFF files: the pixels that Pillow gives, or a refusal that names the kind.
class TiffKindsTest {
  @Test void tiffIsTurnedAsItSays() throws ImageException {
    byte[] file = new Tiff(3, 2).with(258, 8).with(262, 1).with(274, 6).with(259, 8)
        .strip(HandMade.deflated(bytes(1, 2, 3, 4, 5, 6))).file();
    assertEquals(2, Images.read(file, "file").width());
    assertArrayEquals(new int[] {4, 1, 5, 2, 6, 3}, greys(file));
  }

  @Test void tiffSamplesOfEverySize() throws ImageException {
    assertArrayEquals(new int[] {255, 0, 200, 255}, greys(new Tiff(4, 1).with(258, 32).with(262, 1)
        .strip(bytes(44, 1, 0, 0, 255, 255, 255, 255, 200, 0, 0, 0, 0, 0, 1, 0)).file()), "32 bits");
    assertArrayEquals(new int[] {0, 7, 255}, greys(new Tiff(3, 1).with(258, 16).with(262, 1).with(339, 2)
        .strip(bytes(255, 255, 7, 0, 0, 1)).file()), "16 bits with a sign");
    byte[] floats = new byte[12];
    java.nio.ByteBuffer.wrap(floats).order(ByteOrder.LITTLE_ENDIAN).putFloat(-3).putFloat(99.9f).putFloat(1e9f);
    assertArrayEquals(new int[] {0, 99, 255},
        greys(new Tiff(3, 1).with(258, 32).with(262, 1).with(339, 3).strip(floats).file()), "floats");
    assertArrayEquals(new int[] {0x12, 0xFF, 0x34}, greys(new Tiff(3, 1).with(258, 12).with(262, 1)
        .strip(bytes(0x01, 0x2F, 0xFF, 0x03, 0x40)).file()), "12 bits");
    assertArrayEquals(new int[] {85, 255, 0, 170},
        greys(new Tiff(4, 1).with(258, 2).with(262, 0).strip(bytes(0b10_00_11_01)).file()),
        "2 bits, white is 0");
    for (var order : List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)) {
      byte[] big = new Tiff(order, true).with(256, 2).with(257, 1).with(258, 8).with(262, 1).strip(bytes(3, 9)).file();
      if (order == ByteOrder.LITTLE_ENDIAN) assertArrayEquals(new int[] {3, 9}, greys(big), "BigTIFF");
      else refused("a BigTIFF with the high byte first, which Pillow does not read either", big);
    }
  }

  @Test void tiffColours() throws ImageException {
    assertArrayEquals(new int[] {255 - 16 - 0, 255, 0, 0, 0, 0},
        rgb(new Tiff(2, 1).with(258, 16, 16, 16, 16).with(262, 5).with(277, 4)
        .strip(bytes(9, 16, 9, 0, 9, 255, 9, 0, 0, 1, 0, 1, 0, 1, 255, 255)).file()), "16-bit inks: the high bytes");
    int[] map = new int[768];
    for (int i = 0; i < 256; i++) {
      map[i] = i << 8 | 0xFF;
      map[256 + i] = 255 - i << 8;
      map[512 + i] = 7 << 8;
    }
    assertArrayEquals(new int[] {5, 250, 7, 6, 249, 7}, rgb(new Tiff(2, 1).with(258, 8, 8).with(262, 3).with(277,
        2).with(338, 0).with(320, map)
        .strip(bytes(5, 99, 6, 98)).file()), "a palette and a sample that says nothing");
    Picture joined = Images.read(new Tiff(1, 1).with(258, 8, 8, 8, 8).with(262, 2).with(277, 4).with(338, 1)
        .strip(bytes(50, 100, 10, 100))
        .file(), "file");
    assertArrayEquals(bytes(127, 255, 25, 100), joined.samples(), "colours multiplied by their opacity are divided");
    assertArrayEquals(new int[] {200, 119, 120},
        rgb(new Tiff(1, 1).with(258, 8, 8, 8).with(262, 6).with(277, 3).with(530, 1, 1)
        .strip(bytes(144, 115, 168)).file()), "luma and chroma as they are");
    refused("L*a*b*", new Tiff(1, 1).with(258, 8, 8, 8).with(262, 8).with(277, 3).strip(bytes(1, 2, 3)).file());
  }

  @Test void tiffPackings() throws ImageException {
    byte[] bits = bytes(0b10110000, 0b01010000), reversed = bytes(0b00001101, 0b00001010);
    int[] expected = {255, 0, 255, 255, 0, 255, 0, 255};
    assertArrayEquals(expected, greys(new Tiff(4, 2).with(262, 1).strip(bits).file()));
    assertArrayEquals(expected, greys(new Tiff(4, 2).with(262, 1).with(266, 2).strip(reversed).file()),
        "the low bit first");
    // PackBits 01 B0 50, each byte with its lowest bit first
    assertArrayEquals(expected,
        greys(new Tiff(4, 2).with(262, 1).with(266, 2).with(259, 32773).strip(bytes(0x80, 0x0D, 0x0A)).file()),
        "PackBits, the low bit first");
    byte[] differences = HandMade.deflated(bytes(10, 20, 30, 1, 1, 1, 0, 255, 250));
    assertArrayEquals(new int[] {10, 20, 30, 11, 21, 31, 11, 20, 25},
        rgb(new Tiff(3, 1).with(258, 8, 8, 8).with(262, 2).with(277, 3)
        .with(259, 8).with(317, 2).strip(differences).file()), "Deflate of differences");
    // LZW: clear, 7, 258 (7 7), 8, end
    assertArrayEquals(new int[] {7, 7, 7, 8}, greys(new Tiff(4, 1).with(258, 8).with(262, 1).with(259, 5)
        .strip(bytes(0x80, 0x01, 0xE0, 0x40, 0x88, 0x08)).file()), "LZW");
    // G4: a row of 3 white, 2 black, 3 white as runs; then the same row; 1000 (white 3), 11 (black 2)
    assertArrayEquals(new int[] {255, 255, 255, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 255, 255, 255},
        greys(new Tiff(8, 2).with(262, 0).with(259, 4).strip(bytes(0b00110001, 0b11111100, 0b00000000)).file()), "fax");
    for (var kind : Map.of(6, "JPEG of the old style", 34712, "JPEG 2000").entrySet())
      refused(kind.getValue(), new Tiff(1, 1).with(258, 8).with(262, 1).with(259, kind.getKey()).strip(bytes(1))
      .file());
  }

  /// Differences of three pixels as an `.xz` stream without a check, and as a Zstandard frame of one plain block.
  private static final Map<Integer, byte[]> BY_LIBRARIES = Map.of(
      34925, HexFormat.of().parseHex("fd377a585a000000ff12d941020021010c0000008f98419c0100080a141e01010100fffa"
          + "000000000001190997a45ac206729e7a010000000000595a"),
      50000, joined(bytes(0x28, 0xB5, 0x2F, 0xFD, 0x20, 9, 9 << 3 | 1, 0, 0), bytes(10, 20, 30, 1, 1, 1, 0, 255, 250)));

  @Test void tiffPackedAsLibrariesUnpack() throws ImageException {
    for (var packed : BY_LIBRARIES.entrySet()) {
      Tiff file = new Tiff(3, 1).with(258, 8, 8, 8).with(262, 2).with(277, 3).with(317, 2).with(259, packed.getKey());
      byte[] strip = packed.getValue(), whole = file.strip(strip).file();
      String name = packed.getKey() == 50000 ? "Zstandard" : "LZMA";
      try {
        assertArrayEquals(new int[] {10, 20, 30, 11, 21, 31, 11, 20, 25}, rgb(whole), name);
      } catch (ImageException absent) {
        assertTrue(absent.getMessage().contains(name + ", which is not read here ("), absent.getMessage());
        continue;
      }
      refused("a strip unpacks to", file.strip(Arrays.copyOf(strip, strip.length - 4)).file());
      refused("a strip unpacks to", file.strip(bytes(1, 2, 3)).file());
      refused("a strip unpacks to", new Tiff(3, 2).with(258, 8, 8, 8).with(262, 2).with(277, 3)
          .with(259, packed.getKey()).strip(strip).file());
    }
  }

  /// Without the libraries the kinds are named.
  static final class Unpacked {
    public static void main(String[] args) {
      for (int kind : new int[] {34925, 50000})
        try {
          Images.read(new Tiff(1, 1).with(258, 8).with(262, 1).with(259, kind).strip(bytes(1)).file(), "file");
        } catch (ImageException refusal) {
          System.out.println(refusal.getMessage());
        }
    }
  }

  @Test void withoutLibrariesTheirKindsAreNamed() throws Exception {
    String why =
        ", which is not read here (switched off by -Djacquard.image.platform=true); save it with LZW or Deflate";
    assertEquals(List.of("file: a TIFF packed by LZMA" + why, "file: a TIFF packed by Zstandard" + why),
        Fork.run(List.of("-Djacquard.image.platform=true"), Unpacked.class));
  }

  @Test void tiffHeadersAllocateNothing() {
    refused("28 bits", new Tiff(500, 500).with(258, 28, 28, 28).with(262, 2).with(277, 3).strip(bytes(1)).file());
    refused("64 samples", new Tiff(500, 500).with(258, 8).with(262, 2).with(277, 64).strip(bytes(1)).file());
    refused("20000x20000", new Tiff(30, 30).with(258, 8).with(262, 1).with(259, 5).with(322, 20000).with(323,
        20000).with(324, 8).with(325, 9)
        .strip(bytes(1)).file());
    refused("cannot hold", new Tiff(4999, 4999).with(258, 8).with(262, 1).with(259, 8).strip(bytes(1)).file());
    refused("tag 273 of the TIFF is empty or lies beyond", broken());
  }

  /// The strips' offsets are said to be two billion.
  private static byte[] broken() {
    byte[] file = new Tiff(3, 3).with(258, 8).with(262, 1).strip(new byte[9]).file();
    for (int i = 8; i < file.length - 8; i++)
      if (file[i] == 0x11 && file[i + 1] == 1 && file[i + 2] == 4 && file[i + 3] == 0) file[i + 7] = 0x7F;
    return file;
  }
}
