package jacquard.clip.image.augment;

import java.util.random.RandomGenerator;

/// Rectangles of noise in normalised rows (Zhong et al. 2017, in timm's form): each of 2 to 33 % of the area, divided
/// by their number, with proportions from 0.3 to 1/0.3; in each pixel and channel N(0, 1).
///
/// @param probability that an image is touched at all
/// @param most        rectangles, drawn from 1 to this
public record Erasing(double probability, int most) {
  public static final Erasing NONE = new Erasing(0, 1);
  private static final double LEAST_AREA = .02, MOST_AREA = 1. / 3, NARROWEST = StrictMath.log(.3);
  private static final int ATTEMPTS = 10;

  public Erasing {
    if (!(probability >= 0 && probability <= 1))
      throw new IllegalArgumentException("a probability is 0 to 1, found " + probability);
    if (most < 1 || most > 1000) throw new IllegalArgumentException("1 to 1000 rectangles are erased, found " + most);
  }

  /// Writes into `[height · width, 3]`.
  public void apply(float[] rows, int height, int width, RandomGenerator random) {
    if (probability == 0 || random.nextDouble() > probability) return;
    int count = 1 + random.nextInt(most);
    for (int k = 0; k < count; k++) one(rows, height, width, (double) height * width / count, random);
  }

  private static void one(float[] rows, int height, int width, double area, RandomGenerator random) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      double size = (LEAST_AREA + (MOST_AREA - LEAST_AREA) * random.nextDouble()) * area;
      double ratio = StrictMath.exp(NARROWEST - 2 * NARROWEST * random.nextDouble());
      int h = (int) Math.rint(Math.sqrt(size * ratio)), w = (int) Math.rint(Math.sqrt(size / ratio));
      if (h >= height || w >= width) continue;
      int top = random.nextInt(height - h + 1), left = random.nextInt(width - w + 1);
      for (int y = top; y < top + h; y++)
        for (int i = 3 * (y * width + left); i < 3 * (y * width + left + w); i++)
          rows[i] = (float) Draws.gaussian(random);
      return;
    }
  }
}
