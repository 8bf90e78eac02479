package jacquard.clip.image.augment;

import java.util.random.RandomGenerator;

/// Distributions from even draws, the same in every Java.
public final class Draws {
  private Draws() {}

  /// Of mean 0 and deviation 1 (Box and Muller 1958).
  public static double gaussian(RandomGenerator random) {
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - random.nextDouble()));
    return radius * StrictMath.cos(2 * Math.PI * random.nextDouble());
  }

  /// Of shape α and scale 1 (Marsaglia and Tsang 2000).
  public static double gamma(double alpha, RandomGenerator random) {
    if (alpha < 1) return gamma(alpha + 1, random) * StrictMath.pow(1 - random.nextDouble(), 1 / alpha);
    double d = alpha - 1. / 3, c = 1 / StrictMath.sqrt(9 * d);
    while (true) {
      double x = gaussian(random), v = 1 + c * x;
      v = v * v * v;
      double u = 1 - random.nextDouble();
      if (v > 0 && StrictMath.log(u) < x * x / 2 + d - d * v + d * StrictMath.log(v)) return d * v;
    }
  }
}
