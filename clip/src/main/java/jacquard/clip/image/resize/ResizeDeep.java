package jacquard.clip.image.resize;

import jacquard.clip.image.Interpolation;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;

/// The passes of [Resize] for grey of 16 and 32 bits: weights in double, each pass rounded to the samples' own type.
final class ResizeDeep {
  private ResizeDeep() {}

  static Picture of(Picture picture, int width, int height, Interpolation interpolation, Box box) {
    int w = picture.width(), h = picture.height();
    Filter across = Filter.of(w, box.left(), box.right(), width, interpolation),
        down = Filter.of(h, box.top(), box.bottom(), height, interpolation);
    boolean keepWidth = width == w && box.left() == 0 && box.right() == w, keepHeight = height == h && box.top() == 0
        && box.bottom() == h;
    byte[] samples = picture.samples();
    Mode mode = picture.mode();
    if (Resize.verticalFirst(w, h, width, height)) {
      if (!keepHeight) samples = pass(mode, samples, new Lines(w, 1, w), down);
      if (!keepWidth) samples = pass(mode, samples, new Lines(height, w, 1), across);
    } else {
      if (!keepWidth) samples = pass(mode, samples, new Lines(h, w, 1), across);
      if (!keepHeight) samples = pass(mode, samples, new Lines(width, 1, width), down);
    }
    return picture.with(width, height, samples);
  }

  /// `count` lines, each `line` samples from the last, whose samples are `step` apart.
  private record Lines(int count, int line, int step) {}

  private static byte[] pass(Mode mode, byte[] in, Lines lines, Filter weights) {
    int bytes = mode.bytes(), step = lines.step;
    byte[] out = new byte[Math.multiplyExact(bytes * lines.count, weights.size())];
    int outLine = step == 1 ? weights.size() : 1, outStep = step == 1 ? 1 : step;
    for (int y = 0; y < lines.count; y++) {
      for (int x = 0; x < weights.size(); x++) {
        double sum = 0;
        for (int i = 0; i < weights.count(x); i++)
          sum += sample(mode, in, bytes * (y * lines.line + (weights.first(x) + i) * step))
              * weights.weights()[x * weights.stride() + i];
        put(mode, sum, out, bytes * (y * outLine + x * outStep));
      }
    }
    return out;
  }

  private static double sample(Mode mode, byte[] in, int from) {
    int low = (in[from] & 255) | (in[from + 1] & 255) << 8;
    if (mode == Mode.GREY16) return low;
    int whole = low | (in[from + 2] & 255) << 16 | in[from + 3] << 24;
    return mode == Mode.INT32 ? whole : Float.intBitsToFloat(whole);
  }

  /// Half away from zero, but floats; of 16 bits below zero and above 65535 each byte saturates on its own, as in
  /// Pillow.
  private static void put(Mode mode, double sum, byte[] out, int to) {
    int value = mode == Mode.FLOAT32 ? Float.floatToRawIntBits((float) sum) : (int) (sum >= 0 ? Math.floor(sum + .5)
        : -Math.floor(.5 - sum));
    if (mode == Mode.GREY16) {
      out[to] = (byte) Math.clamp(value % 256, 0, 255);
      out[to + 1] = (byte) Math.clamp(value >> 8, 0, 255);
    } else {
      for (int i = 0; i < 4; i++) out[to + i] = (byte) (value >> 8 * i);
    }
  }
}
