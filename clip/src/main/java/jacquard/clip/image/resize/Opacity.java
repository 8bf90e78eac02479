package jacquard.clip.image.resize;

import jacquard.clip.image.Picture;

/// Premultiplied opacity, in which resizing mixes colours by how much of them is seen.
public final class Opacity {
  private Opacity() {}

  /// c ← c·a/255 in Pillow's 8-bit product.
  public static Picture multiply(Picture picture) {
    int step = picture.mode().bytes();
    byte[] out = picture.samples().clone();
    for (int i = 0; i < out.length; i += step) {
      int alpha = out[i + step - 1] & 255;
      for (int c = 0; c < step - 1; c++) out[i + c] = (byte) Picture.product(out[i + c] & 255, alpha);
    }
    return picture.with(picture.width(), picture.height(), out);
  }

  /// c ← min(⌊255·c/a⌋, 255); pixels that are opaque or clear stay as they are.
  public static Picture divide(Picture picture) {
    int step = picture.mode().bytes();
    byte[] out = picture.samples().clone();
    for (int i = 0; i < out.length; i += step) {
      int alpha = out[i + step - 1] & 255;
      if (alpha == 0 || alpha == 255) continue;
      for (int c = 0; c < step - 1; c++) out[i + c] = (byte) Math.min(255 * (out[i + c] & 255) / alpha, 255);
    }
    return picture.with(picture.width(), picture.height(), out);
  }
}
