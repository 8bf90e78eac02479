package jacquard.clip.image.augment.policy;

import jacquard.clip.image.Pixels;
import jacquard.clip.image.augment.Canvas;
import jacquard.clip.image.augment.Operation;
import java.util.List;
import java.util.random.RandomGenerator;

/// torchvision's forms. An operation's strength is one of a row of bins; what may go two ways goes either with
/// chance ½.
public final class Torchvision {
  /// The operations of the random forms, in torchvision's order.
  private static final List<String> SPACE = List.of("Identity", "ShearX", "ShearY", "TranslateX", "TranslateY",
      "Rotate", "Brightness", "Color", "Contrast", "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize");

  private Torchvision() {}

  /// Whether the strength goes two ways.
  public static boolean signed(String operation) {
    return switch (operation) {
      case "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness" ->
        true;
      default -> false;
    };
  }

  /// The strength of bin `i` of `bins`, as RandAugment and AutoAugment have it.
  public static double magnitude(String operation, int i, int bins, int width, int height) {
    return switch (operation) {
      case "ShearX", "ShearY" -> line(0, .3, i, bins);
      case "TranslateX" -> line(0, 150.0 / 331.0 * width, i, bins);
      case "TranslateY" -> line(0, 150.0 / 331.0 * height, i, bins);
      case "Rotate" -> line(0, 30, i, bins);
      case "Brightness", "Color", "Contrast", "Sharpness" -> line(0, .9, i, bins);
      case "Posterize" -> 8 - Math.rint(i / ((bins - 1) / 4f));
      case "Solarize" -> line(255, 0, i, bins);
      default -> 0;
    };
  }

  /// The wider strengths of TrivialAugment.
  public static double wide(String operation, int i, int bins) {
    return switch (operation) {
      case "ShearX", "ShearY", "Brightness", "Color", "Contrast", "Sharpness" -> line(0, .99, i, bins);
      case "TranslateX", "TranslateY" -> line(0, 32, i, bins);
      case "Rotate" -> line(0, 135, i, bins);
      case "Posterize" -> 8 - Math.rint(i / ((bins - 1) / 6f));
      case "Solarize" -> line(255, 0, i, bins);
      default -> 0;
    };
  }

  /// Point `i` of `n` from one end to the other, in single precision and from the nearer end, as PyTorch's `linspace`.
  private static double line(double from, double to, int i, int n) {
    float step = ((float) to - (float) from) / (n - 1);
    return i < n / 2 ? Math.fma(step, i, (float) from) : Math.fma(-step, n - i - 1, (float) to);
  }

  /// The operation at a strength.
  public static Pixels apply(String operation, Pixels image, double magnitude, Canvas canvas) {
    double tangent = Math.tan(Math.toRadians(Math.toDegrees(Math.atan(magnitude))));
    return switch (operation) {
      case "Identity" -> image;
      case "ShearX" -> Operation.SHEAR_X.apply(image, tangent, canvas);
      case "ShearY" -> Operation.SHEAR_Y.apply(image, tangent, canvas);
      case "TranslateX" -> Operation.TRANSLATE_X.apply(image, -(int) magnitude, canvas);
      case "TranslateY" -> Operation.TRANSLATE_Y.apply(image, -(int) magnitude, canvas);
      case "Rotate" -> Operation.ROTATE.apply(image, magnitude, canvas);
      case "Brightness" -> Operation.BRIGHTNESS.apply(image, 1 + magnitude, canvas);
      case "Color" -> Operation.COLOR.apply(image, 1 + magnitude, canvas);
      case "Contrast" -> Operation.CONTRAST.apply(image, 1 + magnitude, canvas);
      case "Sharpness" -> Operation.SHARPNESS.apply(image, 1 + magnitude, canvas);
      case "Posterize" -> Operation.POSTERIZE.apply(image, magnitude, canvas);
      case "Solarize" -> Operation.SOLARIZE.apply(image, magnitude, canvas);
      case "AutoContrast" -> Operation.AUTO_CONTRAST.apply(image, 0, canvas);
      case "Equalize" -> Operation.EQUALIZE.apply(image, 0, canvas);
      case "Invert" -> Operation.INVERT.apply(image, 0, canvas);
      default -> throw new IllegalArgumentException("torchvision has no operation " + operation);
    };
  }

  private static double signed(String operation, double magnitude, boolean negative) {
    return negative && signed(operation) ? -magnitude : magnitude;
  }

  /// Cubuk et al. 2020: `operations` of fourteen after one another, all at one bin.
  public record RandAugment(int operations, int magnitude, int bins, Canvas canvas) implements Policy {
    @Override public Pixels apply(Pixels image, RandomGenerator random) {
      for (int i = 0; i < operations; i++) {
        var op = SPACE.get(random.nextInt(SPACE.size()));
        double m = Torchvision.magnitude(op, magnitude, bins, image.width(), image.height());
        image = Torchvision.apply(op, image, signed(op, m, random.nextBoolean()), canvas);
      }
      return image;
    }
  }

  /// Müller and Hutter 2021: one operation at a bin that is drawn, of a wider range.
  public record TrivialAugment(int bins, Canvas canvas) implements Policy {
    @Override public Pixels apply(Pixels image, RandomGenerator random) {
      var op = SPACE.get(random.nextInt(SPACE.size()));
      double m = wide(op, random.nextInt(bins), bins);
      return Torchvision.apply(op, image, signed(op, m, random.nextBoolean()), canvas);
    }
  }

  /// Cubuk et al. 2019: one of 25 pairs of operations, each of its own probability and bin of ten.
  public record AutoAugment(List<List<Policies.Step>> pairs, Canvas canvas) implements Policy {
    private static final int BINS = 10;

    /// By the data set that the pairs were found on.
    static AutoAugment of(String set, Canvas canvas) {
      return new AutoAugment(Policies.pairs("torchvision.autoaugment", set), canvas);
    }

    @Override public Pixels apply(Pixels image, RandomGenerator random) {
      for (var s : pairs.get(random.nextInt(pairs.size()))) {
        double draw = random.nextDouble();
        boolean negative = random.nextBoolean();
        if (draw > s.probability()) continue;
        double m = magnitude(s.operation(), (int) s.level(), BINS, image.width(), image.height());
        image = Torchvision.apply(s.operation(), image, signed(s.operation(), m, negative), canvas);
      }
      return image;
    }
  }
}
