package jacquard.clip.image.augment.policy;

import jacquard.clip.image.Interpolation;
import jacquard.clip.image.Pixels;
import jacquard.clip.image.augment.Canvas;
import java.util.List;
import java.util.random.RandomGenerator;

/// Operations drawn by chance. The draws are ours; how often and how strongly an operation acts is as in the form that
/// is named.
public sealed interface Policy permits Policy.None, Torchvision.RandAugment, Torchvision.TrivialAugment,
    Torchvision.AutoAugment, Timm.RandAugment, Timm.AutoAugment, AugMix {
  /// The names of [#named], for messages.
  String KNOWN = "none, randaugment (-n2, -m9), trivialaugment, autoaugment-imagenet, -cifar10, -svhn (torchvision); "
      + "rand-m9-mstd0.5-inc1, original, originalr, v0, v0r, 3a, augmix-m3 (timm)";

  Pixels apply(Pixels image, RandomGenerator random);

  /// Nothing.
  record None() implements Policy {
    @Override public Pixels apply(Pixels image, RandomGenerator random) { return image; }
  }

  /// By name: torchvision's (`randaugment-n2-m9`, `trivialaugment`, `autoaugment-imagenet`), which move by nearest and
  /// leave black; or timm's as its own options have them (`rand-m9-mstd0.5-inc1`, `original-mstd0.5`,
  /// `augmix-m5-w4-d2`), which leave the mean.
  ///
  /// @param interpolation of timm's forms; null where each move draws bilinear or bicubic
  /// @param mean          of samples, 0 to 1
  /// @param side          the shorter one of the images, in pixels
  /// @throws IllegalArgumentException naming what is unknown, and what is known
  static Policy named(String name, Interpolation interpolation, List<Float> mean, int side) {
    var words = new Words(name);
    var canvas = Canvas.of(interpolation, mean);
    var nearest = Canvas.black(Interpolation.NEAREST);
    var policy = switch (words.first()) {
      case "none" -> new None();
      case "randaugment" -> new Torchvision.RandAugment(words.whole("n", 2, 1, 20), words.whole("m", 9, 0, 30), 31,
          nearest);
      case "trivialaugment" -> new Torchvision.TrivialAugment(31, nearest);
      case "autoaugment" -> Torchvision.AutoAugment.of(words.next("imagenet"), nearest);
      case "rand" -> Timm.RandAugment.of(words, canvas, side);
      case "augmix" -> AugMix.of(words, canvas);
      case "original", "originalr", "v0", "v0r", "3a" -> Timm.AutoAugment.of(words, canvas, side);
      default -> throw words.unknown();
    };
    words.check();
    return policy;
  }
}
