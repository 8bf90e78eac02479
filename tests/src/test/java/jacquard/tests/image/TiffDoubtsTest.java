package jacquard.tests.image;

import static jacquard.tests.image.HandMade.bytes;
import static jacquard.tests.image.HandMade.deflated;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Images;
import jacquard.tests.image.HandMade.Tiff;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// TIFF files that look sound and that Pillow refuses, or reads by two rules: refused by name, never other pixels.
class TiffDoubtsTest {
  private static void refused(String what, Tiff file) {
    String message = assertThrows(ImageException.class, () -> Images.read(file.file(), "file"), what).getMessage();
    assertTrue(message.startsWith("file: ") && message.contains(what), message);
  }

  private static byte[] samples(Tiff file) throws ImageException { return Images.read(file.file(), "file").samples(); }

  private static Tiff grey(int bits) { return new Tiff(4, 2).with(258, bits).with(262, 1); }

  private static Tiff packed(Tiff file, int size) { return file.with(259, 8).strip(deflated(new byte[size])); }

  private static Tiff highFirst(int bits, int format) {
    return new Tiff(ByteOrder.BIG_ENDIAN, false).with(256, 4).with(257, 2).as(258, 3).with(258, bits).as(262, 3)
        .with(262, 1).as(339, 3).with(339, format).as(259, 3);
  }

  @Test void xmpTurnsWhereTheTagDoesNot() throws ImageException {
    byte[] pixels = bytes(1, 2, 3, 4, 5, 6), turned = bytes(4, 1, 5, 2, 6, 3);
    for (String xmp : new String[] {"<x tiff:Orientation=\"6\"/>", "<tiff:Orientation>6</tiff:Orientation>"}) {
      int[] data = xmp.chars().toArray();
      Tiff file = new Tiff(3, 2).with(258, 8).with(262, 1).with(700, data).as(700, 1).strip(pixels);
      assertArrayEquals(turned, samples(file), xmp);
      assertArrayEquals(pixels, samples(file.with(274, 1)), "the tag goes before");
    }
  }

  @Test void anUnpackedPieceThatPillowMapsIsNotTurned() throws ImageException {
    refused("which Pillow reads in two ways", grey(8).with(274, 6).strip(new byte[8]));
    refused("which Pillow reads in two ways", grey(16).with(274, 5).strip(new byte[16]));
    refused("which Pillow reads in two ways", new Tiff(4, 2).with(258, 8, 8, 8, 8).with(262, 5).with(277, 4)
        .with(274, 8).strip(new byte[32]));
    samples(packed(grey(8).with(274, 6), 8));
    samples(grey(8).with(274, 3).strip(new byte[8]));
    samples(new Tiff(2, 2).with(258, 8).with(262, 1).with(274, 6).strip(new byte[4]));
    samples(new Tiff(4, 2).with(258, 8, 8, 8).with(262, 2).with(277, 3).with(274, 6).strip(new byte[24]));
  }

  @Test void tagsOfAnotherTypeOrSaidTwice() throws ImageException {
    refused("tag 262 of the TIFF is of type 1, expected whole numbers", grey(8).as(262, 1).strip(new byte[8]));
    refused("tag 258 of the TIFF is of type 11", grey(8).as(258, 11).strip(new byte[8]));
    refused("tag 262 of the TIFF has several numbers", new Tiff(4, 2).with(258, 8).with(262, 1, 1).strip(new byte[8]));
    refused("the TIFF says tag 262 twice", grey(8).with(262, 0).strip(new byte[8]));
    refused("a TIFF of 2 strips, expected 1", packed(grey(8).with(273, 8, 8).with(279, 10, 10), 8));
    samples(grey(8).as(262, 3).as(258, 3).strip(new byte[8]));
  }

  @Test void packedSamplesThatPillowTurnsTwice() throws ImageException {
    for (int format : new int[] {2, 3})
      refused("whose bytes Pillow turns twice", packed(highFirst(32, format), 32));
    refused("whose bytes Pillow turns twice", packed(highFirst(16, 2), 16));
    samples(packed(highFirst(16, 1), 16));
    samples(highFirst(16, 2).strip(new byte[16]));
  }

  @Test void planesAndPalettes() throws ImageException {
    refused("luma alone that is packed", packed(new Tiff(4, 2).with(258, 8).with(262, 6), 8));
    refused("a palette of 6 numbers", packed(new Tiff(4, 2).with(258, 8).with(262, 3)
        .with(320, 0, 9, 0, 9, 0, 9), 8));
    refused("one separate plane of 4 bits", grey(4).with(284, 2).strip(new byte[4]));
    refused("one separate plane of 8 bits", new Tiff(4, 2).with(258, 8).with(262, 0).with(284, 2).strip(new byte[8]));
    samples(grey(8).with(284, 2).strip(new byte[8]));
    refused("the low bit first in samples of 8 bits",
        new Tiff(4, 2).with(258, 8).with(262, 0).with(266, 2).strip(new byte[8]));
    refused("Pillow does not read", packed(grey(8).with(284, 0), 8));
    refused("Pillow does not read", packed(grey(32).with(317, 3), 32));
    samples(packed(grey(32).with(317, 3).with(339, 3), 32));
    int[] map = new int[768];
    refused("separate planes of 2 samples", new Tiff(4, 2).with(258, 8, 8).with(262, 3).with(277, 2).with(284, 2)
        .with(338, 2).with(320, map).with(273, 8, 16).with(279, 8, 8).strip(new byte[16]));
  }

  @Test void stripsThatSayMoreThanTheFileHolds() throws ImageException {
    byte[] strip = deflated(new byte[8]);
    refused("truncated", grey(8).with(259, 8).with(273, 8).with(279, 5000).strip(strip));
    // libtiff takes 2 GB for ten times the strip and 4,096 bytes
    refused("truncated", grey(8).with(259, 8).with(273, 8).with(279, Integer.MAX_VALUE).strip(strip));
    byte[] more = Arrays.copyOf(strip, 5000);
    samples(grey(8).with(259, 8).with(273, 8).with(279, Integer.MAX_VALUE).strip(more));
  }

  /// The last strip's JPEG may go on, another's may not.
  @Test void jpegStripsOfMoreRows() throws IOException {
    byte[] jpeg = Files.readAllBytes(ImagesTest.source("gray.jpg"));
    var whole = Images.read(jpeg, "file");
    int w = whole.width(), h = whole.height(), less = h - 8;
    samples(strips(w, h, h).strip(jpeg));
    assertArrayEquals(Arrays.copyOf(whole.samples(), w * less), samples(strips(w, less, less).strip(jpeg)));
    Tiff two = strips(w, 2 * less, less).with(273, 8, 8).with(279, jpeg.length, jpeg.length).strip(jpeg);
    refused("a JPEG of " + w + "x" + h, two);
  }

  private static Tiff strips(int w, int h, int rows) {
    return new Tiff(w, h).with(258, 8).with(262, 1).with(259, 7).with(278, rows);
  }
}
