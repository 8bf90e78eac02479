package jacquard.tests.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Images;

/// What a file made by hand is read as.
final class Read {
  private Read() {}

  static int[] rgb(byte[] file) throws ImageException {
    byte[] rgb = Images.read(file, "file").pixels().rgb();
    int[] levels = new int[rgb.length];
    for (int i = 0; i < rgb.length; i++) levels[i] = rgb[i] & 255;
    return levels;
  }

  static int[] greys(byte[] file) throws ImageException {
    int[] rgb = rgb(file), grey = new int[rgb.length / 3];
    for (int i = 0; i < grey.length; i++) {
      grey[i] = rgb[3 * i];
      assertEquals(grey[i], rgb[3 * i + 1]);
      assertEquals(grey[i], rgb[3 * i + 2]);
    }
    return grey;
  }

  static void refused(String what, byte[] file) {
    String message = assertThrows(ImageException.class, () -> Images.read(file, "file"), what).getMessage();
    assertTrue(message.startsWith("file: ") && message.contains(what), message);
  }
}
