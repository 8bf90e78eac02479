package jacquard.clip.image.augment;

import jacquard.clip.image.Interpolation;
import java.util.List;
import java.util.random.RandomGenerator;

/// How a moved image is painted.
///
/// @param interpolation nearest, bilinear or bicubic; null where each call draws bilinear or bicubic
/// @param fill          red, green and blue of what comes from outside, 0 to 255
public record Canvas(Interpolation interpolation, List<Integer> fill) {
  public Canvas {
    fill = List.copyOf(fill);
    if (fill.size() != 3 || fill.stream().anyMatch(c -> c < 0 || c > 255))
      throw new IllegalArgumentException("a colour has 3 values from 0 to 255, found " + fill);
    if (interpolation != null) switch (interpolation) {
      case NEAREST, BILINEAR, BICUBIC -> { }
      default -> throw new IllegalArgumentException("an image is moved by nearest, bilinear or bicubic, found "
          + interpolation);
    }
  }

  /// With black around.
  public static Canvas black(Interpolation interpolation) { return new Canvas(interpolation, List.of(0, 0, 0)); }

  /// With a mean of samples from 0 to 1 around.
  public static Canvas of(Interpolation interpolation, List<Float> mean) {
    return new Canvas(interpolation, mean.stream().map(m -> Math.clamp((int) Math.rint(255.0 * m), 0, 255)).toList());
  }

  /// This with the interpolation drawn, where it is to be.
  public Canvas drawn(RandomGenerator random) {
    return interpolation != null ? this
        : new Canvas(random.nextBoolean() ? Interpolation.BICUBIC : Interpolation.BILINEAR, fill);
  }
}
