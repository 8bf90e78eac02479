package jacquard.tests.image;

import static jacquard.tests.image.HandMade.bytes;
import static jacquard.tests.image.HandMade.joined;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Images;
import jacquard.clip.image.Mode;
import jacquard.tests.image.HandMade.Bits;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// Headers that say one thing and files that hold another, as Pillow takes them: modes, endings, missing parts.
class SaidAndHeldTest {
  private static void refused(String what, byte[] file) {
    String message = assertThrows(ImageException.class, () -> Images.read(file, "file"), what).getMessage();
    assertTrue(message.startsWith("file: ") && message.contains(what), message);
  }

  private static byte[] rgb(byte[] file) throws ImageException { return Images.read(file, "file").pixels().rgb(); }

  private static byte[] text(String text) { return text.getBytes(StandardCharsets.ISO_8859_1); }

  private static byte[] chunk(String type, byte[]... parts) {
    byte[] data = joined(parts), size = {(byte) data.length, (byte) (data.length >> 8), 0, 0};
    return joined(text(type), size, data, new byte[data.length & 1]);
  }

  /// The canvas announces opacity, the picture has it: a lossless picture's own word counts.
  @Test void webpOpacityThatIsAnnouncedOrNot() throws ImageException {
    for (int flags : new int[] {0, 16})
      for (int opaque : new int[] {0, 1}) {
        byte[] one = new Bits().put(0x2F, 8).put(1, 14).put(1, 14).put(1 - opaque, 1).put(0, 3).put(0, 1).put(0, 1)
            .put(0, 1).only(20).only(10).only(30).only(128).put(1, 1).put(0, 1).put(0, 1).put(0, 1).bytes();
        byte[] canvas = bytes(flags, 0, 0, 0, 1, 0, 0, 1, 0, 0);
        byte[] file = chunk("RIFF", text("WEBP"), chunk("VP8X", canvas), chunk("VP8L", one));
        assertEquals(opaque == 1 ? Mode.RGB : Mode.RGBA, Images.read(file, "file").mode(), "flags " + flags);
      }
    byte[] one = new Bits().put(0x2F, 8).put(1, 14).put(1, 14).put(0, 1).put(0, 6).only(20).only(10).only(30).only(255)
        .put(1, 4).bytes();
    for (int flag : new int[] {1, 64, 128})
      refused("a WebP with the flags", chunk("RIFF", text("WEBP"),
          chunk("VP8X", bytes(flag, 0, 0, 0, 1, 0, 0, 1, 0, 0)), chunk("VP8L", one)));
  }

  @Test void webpChunksFillTheirFile() throws ImageException {
    byte[] one = new Bits().put(0x2F, 8).put(1, 14).put(1, 14).put(0, 1).put(0, 3).put(0, 1).put(0, 1).put(0, 1)
        .only(20).only(10).only(30).only(255).put(1, 1).put(0, 1).put(0, 1).put(0, 1).bytes();
    byte[] canvas = chunk("VP8X", bytes(0, 0, 0, 0, 1, 0, 0, 1, 0, 0)), odd = one;
    if (one.length % 2 == 0) odd = joined(one, bytes(0));
    rgb(riff(chunk("VP8L", odd)));
    byte[] unpadded = riff(Arrays.copyOf(chunk("VP8L", odd), 8 + odd.length));
    refused("a chunk of the WebP", unpadded);
    rgb(riff(canvas, chunk("VP8L", one), chunk("XXXX", bytes(1, 2))));
    refused("truncated WebP: a chunk", riff(canvas, chunk("VP8L", one), bytes(0, 0, 0, 0)));
  }

  @Test void bitmapsWithoutTheirFirstHeader() throws ImageException {
    int[] plain = {2, 1, 1 | 24 << 16, 0, 0, 0, 0, 0, 0}, greys = {2, 1, 1 | 8 << 16, 0, 0, 0, 0, 3, 0};
    byte[] colours = HandMade.bmp(40, 54, plain, bytes(1, 2, 3, 4, 5, 6, 0, 0));
    assertArrayEquals(bytes(3, 2, 1, 6, 5, 4), rgb(Arrays.copyOfRange(colours, 14, colours.length)));
    byte[] palette = HandMade.bmp(40, 66, greys, bytes(1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 2, 1, 0, 0));
    assertArrayEquals(bytes(9, 8, 7, 6, 5, 4), rgb(Arrays.copyOfRange(palette, 14, palette.length)));
    refused("truncated", Arrays.copyOfRange(colours, 14, colours.length - 3));
    refused("TIFF with its third and fourth byte turned", joined(text("MM*\0"), new byte[20]));
  }

  /// A lossy frame with opacity that the canvas does not announce: the mode has it, the samples do not.
  @Test void lossyOpacityThatIsNotAnnounced() throws IOException {
    byte[] lossy = Files.readAllBytes(ImagesTest.source("webp_lossy.webp"));
    var still = Images.read(lossy, "file");
    int w = still.width() - 1, h = still.height() - 1, size = still.width() * still.height();
    byte[] frame = Arrays.copyOfRange(lossy, 12, lossy.length), opacity = new byte[size + 1];
    for (int flags : new int[] {0, 16}) {
      byte[] canvas = bytes(flags, 0, 0, 0, w, w >> 8, 0, h, h >> 8, 0);
      var file = Images.read(riff(chunk("VP8X", canvas), alpha(opacity), frame), "file");
      assertEquals(Mode.RGBA, file.mode());
      assertEquals(flags == 0 ? -1 : 0, file.samples()[3]);
    }
    byte[] cut = frame.clone();
    cut[10] = -1; // a first part that is longer than the frame
    refused("of " + (frame[4] & 255 | (frame[5] & 255) << 8), riff(cut));
  }

  private static byte[] alpha(byte[] plain) {
    int n = plain.length;
    return joined(text("ALPH"), bytes(n, n >> 8, n >> 16, 0), plain, new byte[n & 1]);
  }

  private static byte[] riff(byte[]... chunks) {
    byte[] all = joined(chunks);
    int n = all.length + 4;
    return joined(text("RIFF"), bytes(n, n >> 8, n >> 16, 0), text("WEBP"), all);
  }

  /// An arithmetic decoder says nothing of what is missing.
  @Test void arithmeticJpegWithoutAnEnd() throws IOException {
    byte[] file = Files.readAllBytes(ImagesTest.source("gray.jpg"));
    for (int i = 2; i < file.length - 1; i++)
      if (file[i] == -1 && (file[i + 1] & 255) == 0xC0) {
        file[i + 1] = (byte) 0xC9;
        break;
      }
    if (!Images.jpegDecoder().equals("libjpeg-turbo")) refused("arithmetic", file);
    for (int cut : new int[] {2, 20, 100})
      refused("truncated JPEG", Arrays.copyOf(file, file.length - cut));
  }
}
