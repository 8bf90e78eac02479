package jacquard.clip.image.augment.policy;

import jacquard.clip.image.Pixels;
import jacquard.clip.image.augment.Canvas;
import jacquard.clip.image.augment.Draws;
import jacquard.clip.image.augment.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/// timm's forms. An operation's strength is a level from 0 to 10, which may scatter about the one that is asked for.
public final class Timm {
  private static final double LEVELS = 10;
  /// Of the sides, at level 10.
  private static final double MOVED = .45, MOVED_IN_MIX = .3;

  /// How levels scatter and what they mean.
  ///
  /// @param deviation of levels about theirs; infinite where they are drawn evenly from 0 up to theirs
  /// @param most      the highest level
  /// @param side      at level 10 images move by ⌊0.45·side⌋ pixels, where an operation moves by pixels
  /// @param share     or by this share of their sides
  public record Strength(double deviation, double most, int side, double share) {
    static Strength of(double deviation, int side) { return new Strength(deviation, LEVELS, side, MOVED); }
    static Strength mixed(double deviation) { return new Strength(deviation, LEVELS, 0, MOVED_IN_MIX); }

    private double drawn(double level, RandomGenerator random) {
      double drawn = deviation == Double.POSITIVE_INFINITY ? random.nextDouble() * level
          : deviation > 0 ? level + deviation * Draws.gaussian(random) : level;
      return Math.clamp(drawn, 0, most);
    }
  }

  private Timm() {}

  /// The argument that timm gives an operation at a level.
  ///
  /// @param sign 1 or −1, where the operation goes two ways
  public static double argument(String operation, double level, double sign, Strength strength) {
    double share = level / LEVELS;
    return switch (operation) {
      case "AutoContrast", "Equalize", "Invert" -> 0;
      case "Rotate" -> sign * (share * 30.);
      case "Posterize" -> (int) (share * 4);
      case "PosterizeIncreasing" -> 4 - (int) (share * 4);
      case "PosterizeOriginal" -> (int) (share * 4) + 4;
      case "Solarize" -> Math.min(256, (int) (share * 256));
      case "SolarizeIncreasing" -> 256 - Math.min(256, (int) (share * 256));
      case "SolarizeAdd" -> Math.min(128, (int) (share * 110));
      case "Color", "Contrast", "Brightness", "Sharpness" -> share * 1.8 + .1;
      case "ColorIncreasing", "ContrastIncreasing", "BrightnessIncreasing", "SharpnessIncreasing" ->
        Math.max(.1, 1.0 + sign * (share * .9));
      case "ShearX", "ShearY" -> sign * (share * .3);
      case "TranslateX", "TranslateY" -> sign * (share * (int) (strength.side * MOVED));
      case "TranslateXRel", "TranslateYRel" -> sign * (share * strength.share);
      case "Desaturate" -> Math.clamp(.5 + (1. - .5) * share, .5, 1.);
      case "GaussianBlur" -> Math.clamp(.1 + (2. - .1) * share, .1, 2.);
      case "GaussianBlurRand" -> Math.clamp(share, 0., 1.);
      default -> throw new IllegalArgumentException("timm has no operation " + operation);
    };
  }

  /// The operation with timm's argument. Posterized to 0 bits an image is black (Pillow 13 refuses that).
  public static Pixels apply(String operation, Pixels image, double argument, Canvas canvas, RandomGenerator random) {
    var how = switch (operation) {
      case "ShearX", "ShearY", "Rotate", "TranslateX", "TranslateY", "TranslateXRel", "TranslateYRel" ->
        canvas.drawn(random);
      default -> canvas;
    };
    return switch (operation) {
      case "AutoContrast" -> Operation.AUTO_CONTRAST.apply(image, 0, how);
      case "Equalize" -> Operation.EQUALIZE.apply(image, 0, how);
      case "Invert" -> Operation.INVERT.apply(image, 0, how);
      case "Rotate" -> Operation.ROTATE.apply(image, argument, how);
      case "Posterize", "PosterizeIncreasing", "PosterizeOriginal" -> Operation.POSTERIZE.apply(image, argument, how);
      case "Solarize", "SolarizeIncreasing" -> Operation.SOLARIZE.apply(image, argument, how);
      case "SolarizeAdd" -> Operation.SOLARIZE_ADD.apply(image, argument, how);
      case "Color", "ColorIncreasing" -> Operation.COLOR.apply(image, argument, how);
      case "Contrast", "ContrastIncreasing" -> Operation.CONTRAST.apply(image, argument, how);
      case "Brightness", "BrightnessIncreasing" -> Operation.BRIGHTNESS.apply(image, argument, how);
      case "Sharpness", "SharpnessIncreasing" -> Operation.SHARPNESS.apply(image, argument, how);
      case "ShearX" -> Operation.SHEAR_X.apply(image, argument, how);
      case "ShearY" -> Operation.SHEAR_Y.apply(image, argument, how);
      case "TranslateX" -> Operation.TRANSLATE_X.apply(image, argument, how);
      case "TranslateY" -> Operation.TRANSLATE_Y.apply(image, argument, how);
      case "TranslateXRel" -> Operation.TRANSLATE_X.apply(image, argument * image.width(), how);
      case "TranslateYRel" -> Operation.TRANSLATE_Y.apply(image, argument * image.height(), how);
      case "Desaturate" -> Operation.COLOR.apply(image, Math.clamp(1. - argument, 0., 1.), how);
      case "GaussianBlur" -> Operation.BLUR.apply(image, argument, how);
      case "GaussianBlurRand" -> Operation.BLUR.apply(image, .1 + (2. * argument - .1) * random.nextDouble(), how);
      default -> throw new IllegalArgumentException("timm has no operation " + operation);
    };
  }

  /// An operation with its probability, at a level that scatters.
  static Pixels step(Policies.Step s, Pixels image, Strength strength, Canvas canvas, RandomGenerator random) {
    if (s.probability() < 1 && random.nextDouble() > s.probability()) return image;
    double level = strength.drawn(s.level(), random), sign = random.nextBoolean() ? 1 : -1;
    return apply(s.operation(), image, argument(s.operation(), level, sign, strength), canvas, random);
  }

  /// One of several sequences of operations.
  public record AutoAugment(List<List<Policies.Step>> sequences, Strength strength, Canvas canvas) implements Policy {
    static AutoAugment of(Words words, Canvas canvas, int side) {
      var strength = Strength.of(words.number("mstd", 0), side);
      return new AutoAugment(Policies.pairs("timm.autoaugment", words.first()), strength, canvas);
    }

    @Override public Pixels apply(Pixels image, RandomGenerator random) {
      for (var s : sequences.get(random.nextInt(sequences.size()))) image = step(s, image, strength, canvas, random);
      return image;
    }
  }

  /// `layers` operations, each applied with its probability. With weights no operation comes twice.
  ///
  /// @param weights of the operations; empty where all are as likely and may come again
  public record RandAugment(List<Policies.Step> operations, List<Double> weights, int layers, Strength strength,
      Canvas canvas) implements Policy {
    static RandAugment of(Words words, Canvas canvas, int side) {
      double level = words.whole("m", (int) LEVELS, 0, 100), p = words.number("p", .5, 0, 1);
      double deviation = words.number("mstd", 0), most = words.whole("mmax", (int) LEVELS, 0, 100);
      int layers = words.whole("n", 2, 1, 20);
      boolean increasing = words.whole("inc", 0, 0, 1) == 1;
      var named = words.text("t");
      var table = switch (named) {
        case "weights" -> "timm.rand_weighted_0";
        case "3aw" -> "timm.rand_weighted_3a";
        case "3a" -> "timm.rand_3a";
        case null, default -> increasing ? "timm.rand_inc1" : "timm.rand";
      };
      var choices = Policies.choices(table);
      if (Policies.weighted(table) && layers > choices.size())
        throw new IllegalArgumentException(layers + " operations of " + choices.size() + ", none twice");
      return new RandAugment(choices.keySet().stream().map(o -> new Policies.Step(o, p, level)).toList(),
          Policies.weighted(table) ? List.copyOf(choices.values()) : List.of(), layers,
          new Strength(deviation > 100 ? Double.POSITIVE_INFINITY : deviation, most, side, MOVED), canvas);
    }

    @Override public Pixels apply(Pixels image, RandomGenerator random) {
      for (int i : drawn(random)) image = step(operations.get(i), image, strength, canvas, random);
      return image;
    }

    private int[] drawn(RandomGenerator random) {
      int[] r = new int[layers];
      var left = new ArrayList<>(weights);
      for (int k = 0; k < layers; k++) {
        if (weights.isEmpty()) {
          r[k] = random.nextInt(operations.size());
          continue;
        }
        double u = random.nextDouble() * left.stream().mapToDouble(w -> w).sum();
        int at = 0;
        while (at < left.size() - 1 && (u -= left.get(at)) >= 0) at++;
        while (left.get(at) == 0) at--;                          // where rounding ran over the last
        left.set(r[k] = at, 0.0);
      }
      return r;
    }
  }
}
