package jacquard.clip.image.resize;

import jacquard.clip.image.Interpolation;
import jacquard.clip.image.Picture;

/// The passes of [Resize] for 16-bit grey: weights in double, each pass rounded to 16 bits.
final class Resize16 {
  private Resize16() {}

  static Picture of(Picture picture, int width, int height, Interpolation interpolation, Box box) {
    int w = picture.width(), h = picture.height();
    Filter across = Filter.of(w, box.left(), box.right(), width, interpolation),
        down = Filter.of(h, box.top(), box.bottom(), height, interpolation);
    boolean keepWidth = width == w && box.left() == 0 && box.right() == w, keepHeight = height == h && box.top() == 0 && box.bottom() == h;
    byte[] samples = picture.samples();
    if (Resize.verticalFirst(w, h, width, height)) {
      if (!keepHeight) samples = pass(samples, w, 1, w, down);
      if (!keepWidth) samples = pass(samples, height, w, 1, across);
    } else {
      if (!keepWidth) samples = pass(samples, h, w, 1, across);
      if (!keepHeight) samples = pass(samples, width, 1, width, down);
    }
    return picture.with(width, height, samples);
  }

  /// Filters `lines` lines, each `line` samples from the last, whose samples are `step` apart.
  private static byte[] pass(byte[] in, int lines, int line, int step, Filter weights) {
    byte[] out = new byte[Math.multiplyExact(2 * lines, weights.size())];
    int outLine = step == 1 ? weights.size() : 1, outStep = step == 1 ? 1 : step;
    for (int y = 0; y < lines; y++) {
      for (int x = 0; x < weights.size(); x++) {
        double sum = 0;
        for (int i = 0; i < weights.count(x); i++) {
          int from = 2 * (y * line + (weights.first(x) + i) * step);
          sum += ((in[from] & 255) | (in[from + 1] & 255) << 8) * weights.weights()[x * weights.stride() + i];
        }
        // half away from zero; below zero and above 65535 each byte saturates on its own, as in Pillow
        int value = (int) (sum >= 0 ? sum + .5 : sum - .5), to = 2 * (y * outLine + x * outStep);
        out[to] = (byte) Math.clamp(value % 256, 0, 255);
        out[to + 1] = (byte) Math.clamp(value >> 8, 0, 255);
      }
    }
    return out;
  }
}
