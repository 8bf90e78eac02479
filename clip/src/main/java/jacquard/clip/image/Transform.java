package jacquard.clip.image;

import jacquard.clip.image.resize.Resize;
import jacquard.tensor.Padding;
import java.util.random.RandomGenerator;

/// From a picture to the rows that a tower sees: `[height · width, 3]`, a row a pixel, from the top left; (x/255 −
/// mean)/std in single precision. Equal to OpenCLIP's `image_transform`. Immutable and thread-safe.
public final class Transform {
  private final PreprocessConfig config;
  private final float[][] levels = new float[3][256]; // the normalised value of each sample

  public Transform(PreprocessConfig config) {
    this.config = config;
    for (int c = 0; c < 3; c++)
      for (int level = 0; level < 256; level++)
        levels[c][level] = (level / 255f - config.mean().get(c)) / config.std().get(c);
  }

  public PreprocessConfig config() { return config; }

  /// For evaluation: resized and cropped as the config says, `[height · width, 3]`.
  public float[] rows(Picture picture) { return rows(pixels(picture)); }

  /// For training: `augmentation` with the draws of `random`, `[height · width, 3]`.
  public float[] rows(Picture picture, Augmentation augmentation, RandomGenerator random) {
    var rows = rows(augmentation.apply(picture, config.height(), config.width(), random));
    augmentation.erasing().apply(rows, config.height(), config.width(), random);
    return rows;
  }

  /// An image of any size, only normalised: `[its height · its width, 3]`.
  public float[] rows(Pixels image) {
    float[] rows = new float[image.rgb().length];
    rows(image, rows, 0);
    return rows;
  }

  /// Normalises into a batch, from index `at`.
  public void rows(Pixels image, float[] into, int at) {
    byte[] rgb = image.rgb();
    float[] red = levels[0], green = levels[1], blue = levels[2];
    for (int i = 0; i < rgb.length; i += 3) {
      into[at + i] = red[rgb[i] & 255];
      into[at + i + 1] = green[rgb[i + 1] & 255];
      into[at + i + 2] = blue[rgb[i + 2] & 255];
    }
  }

  /// The image of which [#rows] made these, clipped to 8 bits.
  public Pixels image(float[] rows, int height, int width) {
    byte[] rgb = new byte[rows.length];
    for (int i = 0; i < rgb.length; i++) {
      float sample = (rows[i] * config.std().get(i % 3) + config.mean().get(i % 3)) * 255;
      rgb[i] = (byte) Math.round(Math.clamp(sample, 0f, 255f));
    }
    return new Pixels(width, height, rgb);
  }

  /// A picture at its own proportions, in the size that as many patches as there is room for have.
  public Pixels pixels(Picture picture, PatchFrame frame) {
    var g = frame.grid(picture.height(), picture.width());
    return Resize.of(picture.pixels(), g.width() * frame.side(), g.height() * frame.side(), config.interpolation());
  }

  /// One row a patch, its normalised pixels row by row: `[patches, side·side·3]`. What is left beyond whole patches is
  /// not seen.
  public float[] patches(Pixels image, int side) {
    int down = image.height() / side, across = image.width() / side, each = side * 3;
    float[] rows = rows(image), r = new float[down * across * side * each];
    for (int patch = 0, at = 0; patch < down * across; patch++)
      for (int y = 0; y < side; y++, at += each)
        System.arraycopy(rows, ((patch / across * side + y) * image.width() + patch % across * side) * 3, r, at, each);
    return r;
  }

  /// `[height · width, 3]` → `[3, height, width]`, the order of recorded tensors.
  public static float[] planes(float[] rows) {
    int pixels = rows.length / 3;
    float[] planes = new float[rows.length];
    for (int i = 0; i < pixels; i++)
      for (int c = 0; c < 3; c++) planes[c * pixels + i] = rows[3 * i + c];
    return planes;
  }

  /// What the evaluation transform sees before it normalises: height × width of the config.
  public Pixels pixels(Picture picture) {
    int h = config.height(), w = config.width();
    Picture framed = switch (config.resizeMode()) {
      case SQUASH -> Resize.of(picture, w, h, config.interpolation());
      case SHORTEST -> config.crop() < 1 ? cropped(picture, h) : h == w ? middle(picture, h)
          : fit(ratioKept(picture, Math.min(rowsPer(picture), columnsPer(picture)),
          Interpolation.BICUBIC), 0);
      case LONGEST -> fit(ratioKept(picture, Math.max(rowsPer(picture), columnsPer(picture)), config.interpolation()),
          config.fill());
    };
    return framed.pixels();
  }

  private double rowsPer(Picture picture) { return (double) picture.height() / config.height(); }

  private double columnsPer(Picture picture) { return (double) picture.width() / config.width(); }

  /// The middle square of the picture whose shorter side is `size` and the longer one ⌊size·long/short⌋.
  private Picture middle(Picture picture, int size) {
    int w = picture.width(), h = picture.height();
    int longer = Math.toIntExact((long) ((double) ((long) size * Math.max(w, h)) / Math.min(w, h))), aside =
        halved(longer - size);
    return w <= h ? Resize.of(picture, size, longer, config.interpolation(), new Resize.Part(0, aside, size, size))
        : Resize.of(picture, longer, size, config.interpolation(), new Resize.Part(aside, 0, size, size));
  }

  /// The middle square of the picture whose shorter side is `size`/crop, both sides to the nearest; the odd pixel is
  /// cut off right and below.
  private Picture cropped(Picture picture, int size) {
    int w = picture.width(), h = picture.height(), shorter = (int) Math.rint(size / config.crop());
    int longer = Math.toIntExact((long) Math.rint((double) ((long) shorter * Math.max(w, h)) / Math.min(w, h)));
    int a = (shorter - size) / 2, b = (longer - size) / 2;
    return w <= h ? Resize.of(picture, shorter, longer, config.interpolation(), new Resize.Part(a, b, size, size))
        : Resize.of(picture, longer, shorter, config.interpolation(), new Resize.Part(b, a, size, size));
  }

  /// Half of it, halves to even.
  private static int halved(int margin) { return (int) Math.rint(margin / 2.0); }

  /// Both sides divided by `ratio`, halves to even. A side that would vanish stays 1.
  private static Picture ratioKept(Picture picture, double ratio, Interpolation interpolation) {
    int w = Math.max(1, Math.toIntExact((long) Math.rint(picture.width() / ratio))),
        h = Math.max(1, Math.toIntExact((long) Math.rint(picture.height() / ratio)));
    return Resize.of(picture, w, h, interpolation);
  }

  /// Margins where the picture is too small (the odd pixel right and below), then the middle (halves to even).
  private Picture fit(Picture picture, int fill) {
    int h = config.height(), w = config.width(), across = Math.max(w - picture.width(), 0), down =
        Math.max(h - picture.height(), 0);
    if (across + down > 0)
      picture = picture.pad(new Padding(down / 2, across / 2, (down + 1) / 2, (across + 1) / 2), fill);
    return picture.crop(halved(picture.width() - w), halved(picture.height() - h), w, h);
  }
}
