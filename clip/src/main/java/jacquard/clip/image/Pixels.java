package jacquard.clip.image;

import java.util.Arrays;
import java.util.Objects;

/// An RGB image of 8 bits a channel: `rgb` is `[height, width, 3]`, rows from the top, red first.
/// The array is not copied; nothing in this package writes to the array of an existing image.
public record Pixels(int width, int height, byte[] rgb) {
  public Pixels {
    Objects.requireNonNull(rgb, "rgb");
    if (width <= 0 || height <= 0 || rgb.length != 3L * width * height)
      throw new IllegalArgumentException("an RGB image of %dx%d has %d bytes, found %d".formatted(width, height,
          3L * width * height,
          rgb.length));
  }

  /// An image in one colour, 0xRRGGBB.
  public static Pixels filled(int width, int height, int colour) {
    byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
    for (int i = 0; i < rgb.length; i += 3) {
      rgb[i] = (byte) (colour >> 16);
      rgb[i + 1] = (byte) (colour >> 8);
      rgb[i + 2] = (byte) colour;
    }
    return new Pixels(width, height, rgb);
  }

  /// The same image as a picture of mode RGB, sharing its bytes.
  public Picture picture() { return new Picture(Mode.RGB, width, height, rgb, Picture.NO_PALETTE); }

  /// The sample of `channel` (0 red, 1 green, 2 blue) at column `x` of row `y`, 0 to 255.
  public int sample(int x, int y, int channel) {
    return rgb[(Objects.checkIndex(y, height) * width + Objects.checkIndex(x, width)) * 3 + channel] & 255;
  }

  @Override public String toString() { return "Pixels[" + width + "x" + height + "]"; }

  @Override public boolean equals(Object other) {
    return other instanceof Pixels p && width == p.width && height == p.height && Arrays.equals(rgb, p.rgb);
  }

  @Override public int hashCode() { return Objects.hash(width, height, Arrays.hashCode(rgb)); }
}
