package jacquard.clip.image.resize;

import jacquard.clip.image.Interpolation;
import jacquard.clip.image.Picture;
import jacquard.clip.image.Pixels;
import java.util.Arrays;

/// Resizes as Pillow 13 does, to the bit.
///
/// ```
/// out[X] = clip( (Σ_x in[x]·k_X[x] + 2²¹) >> 22 ),   k_X[x] = round(2²²·w((x − c + ½)/s) / Σ w),   c = left + (X +
/// ½)·scale, scale = (right − left)/W,   s = max(scale, 1),   x over [c − support·s + ½], …, [c + support·s + ½] − 1,
/// cut at the edges
/// ```
///
/// One pass along each axis, each rounding to 8 bits; which comes first therefore shows, and [#verticalFirst] follows
/// Pillow. Opacity is premultiplied for the resize; palettes and bilevel pictures take the nearest pixel.
public final class Resize {
  private static final int FRACTION = 22; // 8 bits of sample, 22 of weight, 2 for overshoot and sign
  private static final int HALF = 1 << (FRACTION - 1);

  private Resize() {}

  /// The whole image in another size.
  public static Pixels of(Pixels image, int width, int height, Interpolation interpolation) {
    return of(image, width, height, interpolation, Box.whole(image.width(), image.height()));
  }

  /// The part of an image inside `box`, in another size; pixels outside the box are not looked at, but those that it
  /// cuts are.
  public static Pixels of(Pixels image, int width, int height, Interpolation interpolation, Box box) {
    return of(image.picture(), width, height, interpolation, box).pixels();
  }

  /// The whole picture in another size, in its own mode.
  public static Picture of(Picture picture, int width, int height, Interpolation interpolation) {
    return of(picture, width, height, interpolation, Box.whole(picture.width(), picture.height()));
  }

  /// The part of a picture inside `box`, in another size, in its own mode.
  public static Picture of(Picture picture, int width, int height, Interpolation interpolation, Box box) {
    if (width <= 0 || height <= 0)
      throw new IllegalArgumentException("a size is positive, found " + width + "x" + height);
    box.checkInside(picture.width(), picture.height());
    if (width == picture.width() && height == picture.height() && box.equals(Box.whole(width, height))) return picture;
    Math.multiplyExact(Math.multiplyExact(width, height), picture.mode().bytes());
    if (interpolation == Interpolation.NEAREST || picture.mode().discrete())
      return nearest(picture, width, height, box);
    return switch (picture.mode()) {
      case GREY16, INT32, FLOAT32 -> ResizeDeep.of(picture, width, height, interpolation, box);
      case GREY_ALPHA, RGBA -> Opacity.divide(filtered(Opacity.multiply(picture), width, height, interpolation, box));
      default -> filtered(picture, width, height, interpolation, box);
    };
  }

  /// A rectangle of whole pixels.
  public record Part(int left, int top, int width, int height) {}

  /// The part of the picture in another size, without making what lies around it.
  public static Picture of(Picture picture, int width, int height, Interpolation interpolation, Part part) {
    int w = picture.width(), h = picture.height();
    boolean plain = switch (picture.mode()) { case GREY, RGB, CMYK, YCBCR -> true; default -> false; };
    if (!plain || interpolation == Interpolation.NEAREST || width == w || height == h)
      return of(picture, width, height, interpolation).crop(part.left, part.top, part.width, part.height);
    Filter across = Filter.of(w, 0, w, width, interpolation).part(part.left, part.width),
        down = Filter.of(h, 0, h, height, interpolation).part(part.top, part.height);
    return picture.with(part.width, part.height, both(picture, across, down, verticalFirst(w, h, width, height)));
  }

  private static byte[] both(Picture picture, Filter across, Filter down, boolean verticalFirst) {
    byte[] samples = picture.samples();
    int w = picture.width(), step = picture.mode().bytes();
    if (verticalFirst) return horizontal(vertical(samples, w * step, 0, down), w, 0, down.size(), step, across);
    byte[] narrow = horizontal(samples, w, down.lowest(), down.highest() - down.lowest(), step, across);
    return vertical(narrow, across.size() * step, down.lowest(), down);
  }

  /// Whether Pillow 13 makes the vertical pass first: only where it reduces the height by more than twice what is taken
  /// from the width.
  static boolean verticalFirst(int fromWidth, int fromHeight, int width, int height) {
    return height < fromHeight && fromHeight - height > 2L * (fromWidth - width);
  }

  private static Picture filtered(Picture picture, int width, int height, Interpolation interpolation, Box box) {
    int w = picture.width(), h = picture.height(), step = picture.mode().bytes();
    Filter across = width != w || box.left() != 0 || box.right() != w
        ? Filter.of(w, box.left(), box.right(), width, interpolation)
        : null;
    Filter down = height != h || box.top() != 0 || box.bottom() != h
        ? Filter.of(h, box.top(), box.bottom(), height, interpolation)
        : null;
    byte[] samples = picture.samples();
    if (across == null && down == null) return picture;
    if (down == null) return picture.with(width, height, horizontal(samples, w, 0, h, step, across));
    if (across == null) return picture.with(width, height, vertical(samples, w * step, 0, down));
    return picture.with(width, height, both(picture, across, down, verticalFirst(w, h, width, height)));
  }

  /// Rows `first` to `first + rows` of `in` `[·, w, step]` → `[rows, weights.size(), step]`.
  private static byte[] horizontal(byte[] in, int w, int first, int rows, int step, Filter weights) {
    byte[] out = new byte[Math.multiplyExact(rows, weights.size() * step)];
    int[] k = weights.fixed();
    for (int y = 0; y < rows; y++) {
      int row = (first + y) * w * step, to = y * weights.size() * step;
      if (step == 3) horizontalRgb(in, row, out, to, weights, k);
      else horizontalAny(in, row, out, to, step, weights, k);
    }
    return out;
  }

  private static void horizontalRgb(byte[] in, int row, byte[] out, int to, Filter weights, int[] k) {
    for (int x = 0, at = 0; x < weights.size(); x++, at += weights.stride()) {
      int red = HALF, green = HALF, blue = HALF, from = row + weights.first(x) * 3;
      for (int i = 0, n = weights.count(x); i < n; i++, from += 3) {
        int weight = k[at + i];
        red += (in[from] & 255) * weight;
        green += (in[from + 1] & 255) * weight;
        blue += (in[from + 2] & 255) * weight;
      }
      out[to++] = clip(red);
      out[to++] = clip(green);
      out[to++] = clip(blue);
    }
  }

  private static void horizontalAny(byte[] in, int row, byte[] out, int to, int step, Filter weights, int[] k) {
    for (int x = 0, at = 0; x < weights.size(); x++, at += weights.stride()) {
      for (int c = 0; c < step; c++) {
        int sum = HALF, from = row + weights.first(x) * step + c;
        for (int i = 0, n = weights.count(x); i < n; i++, from += step) sum += (in[from] & 255) * k[at + i];
        out[to++] = clip(sum);
      }
    }
  }

  /// `in` `[·, length]`, whose row 0 is row `skipped` of the picture → `[weights.size(), length]`.
  private static byte[] vertical(byte[] in, int length, int skipped, Filter weights) {
    byte[] out = new byte[Math.multiplyExact(weights.size(), length)];
    int[] sums = new int[length], k = weights.fixed();
    for (int y = 0; y < weights.size(); y++) {
      Arrays.fill(sums, HALF);
      for (int i = 0, n = weights.count(y); i < n; i++)
        addRow(in, (weights.first(y) + i - skipped) * length, k[y * weights.stride() + i], sums);
      for (int x = 0, to = y * length; x < length; x++) out[to + x] = clip(sums[x]);
    }
    return out;
  }

  private static void addRow(byte[] in, int from, int weight, int[] sums) {
    for (int x = 0; x < sums.length; x++) sums[x] += (in[from + x] & 255) * weight;
  }

  private static byte clip(int sum) { return (byte) Math.max(0, Math.min(255, sum >> FRACTION)); }

  /// `out[X] = in[⌊left + step·½ + X·step⌋]`, the position accumulated step by step, as Pillow does.
  private static Picture nearest(Picture picture, int width, int height, Box box) {
    int step = picture.mode().bytes();
    int[] columns = positions(width, box.left(), box.right(), picture.width()),
        rows = positions(height, box.top(), box.bottom(), picture.height());
    byte[] in = picture.samples(), out = new byte[width * height * step];
    for (int y = 0, to = 0; y < height; y++) {
      if (rows[y] < 0) { to += width * step; continue; }
      for (int x = 0; x < width; x++, to += step) {
        if (columns[x] < 0) continue;
        int from = (rows[y] * picture.width() + columns[x]) * step;
        for (int c = 0; c < step; c++) out[to + c] = in[from + c];
      }
    }
    return picture.with(width, height, out);
  }

  /// −1 where rounding has led a position off the edge: Pillow leaves such pixels 0.
  private static int[] positions(int size, float from, float to, int limit) {
    double step = (double) (to - from) / size, at = from + step * .5;
    int[] positions = new int[size];
    for (int i = 0; i < size; i++, at += step) positions[i] = (int) at < limit ? (int) at : -1;
    return positions;
  }
}
