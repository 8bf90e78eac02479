package jacquard.clip.image;

import jacquard.clip.image.augment.Blur;
import jacquard.clip.image.augment.Colour;
import jacquard.clip.image.augment.Erasing;
import jacquard.clip.image.augment.Geometry;
import jacquard.clip.image.augment.policy.Policy;
import jacquard.clip.image.resize.Resize;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/// The changes that training makes to an image by chance: crop, flip, a policy, colours, grey, blur, and, once it is
/// normalised, what is erased; in this order.
///
/// The caller brings the random numbers, seeded from (seed, step, sample index), so that a sample's change does not
/// depend on which worker or rank makes it, nor on what came before. Equal seeds give equal bits.
/// @param crop    which part is seen
/// @param flip    probability of a horizontal flip; OpenCLIP has none
/// @param policy  operations drawn by chance
/// @param colours how they move
/// @param blur    probability of a blur, its deviation drawn from 0.1 to 2 pixels
/// @param erasing what is erased of the normalised image
public record Augmentation(Crop crop, double flip, Policy policy, Colours colours, double blur, Erasing erasing) {
  private static final int ATTEMPTS = 10;
  private static final double SHARPEST = .1, SOFTEST = 2;

  /// OpenCLIP's default: a crop of 90 to 100 % of the area with proportions 3:4 to 4:3, and nothing else.
  public static final Augmentation DEFAULT =
      new Augmentation(new Crop(.9, 1, 3.0 / 4, 4.0 / 3, Interpolation.BICUBIC), 0, new Policy.None(),
          new Colours(Jitter.NONE, 0, 0), 0, Erasing.NONE);

  /// A part of random area and proportions at a random place, resized (torchvision's `RandomResizedCrop`).
  ///
  /// @param least         least part of the area
  /// @param most          largest part of the area
  /// @param narrowest     least width/height
  /// @param widest        largest width/height
  /// @param interpolation of the resize; null where each crop draws bilinear or bicubic
  public record Crop(double least, double most, double narrowest, double widest, Interpolation interpolation) {
    public Crop {
      if (!(least > 0 && least <= most))
        throw new IllegalArgumentException("the crop's scale is a range above 0, found " + least + " to " + most);
      if (!(narrowest > 0 && narrowest <= widest))
        throw new IllegalArgumentException("the crop's ratio is a range above 0, found " + narrowest + " to " + widest);
    }

    /// Ten attempts, then the middle.
    Picture of(Picture picture, double narrowest, double widest, RandomGenerator random) {
      int w = picture.width(), h = picture.height();
      double low = Math.log(narrowest), high = Math.log(widest);
      for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        double area = (double) w * h * (least + random.nextDouble() * (most - least)),
            ratio = Math.exp(low + random.nextDouble() * (high - low));
        int across = (int) Math.rint(Math.sqrt(area * ratio)), down = (int) Math.rint(Math.sqrt(area / ratio));
        if (across > 0 && across <= w && down > 0 && down <= h) {
          int top = random.nextInt(h - down + 1), left = random.nextInt(w - across + 1);
          return picture.crop(left, top, across, down);
        }
      }
      return middle(picture, narrowest, widest);
    }

    private static Picture middle(Picture picture, double narrowest, double widest) {
      int w = picture.width(), h = picture.height();
      double ratio = (double) w / h;
      if (ratio < narrowest) h = Math.clamp((long) Math.rint(w / narrowest), 1, h);
      else if (ratio > widest) w = Math.clamp((long) Math.rint(h * widest), 1, w);
      return picture.crop((picture.width() - w) / 2, (picture.height() - h) / 2, w, h);
    }
  }

  /// How colours change.
  ///
  /// @param jitterProbability that they move (`color_jitter_prob`)
  /// @param greyProbability   that they go (`gray_scale_prob`)
  public record Colours(Jitter jitter, double jitterProbability, double greyProbability) {
    public Colours {
      checked(jitterProbability);
      checked(greyProbability);
    }
  }

  /// How far colours may move: brightness, contrast and saturation by factors from max(0, 1 − x) to 1 + x, the hue by
  /// −hue to hue of the circle.
  public record Jitter(double brightness, double contrast, double saturation, double hue) {
    public static final Jitter NONE = new Jitter(0, 0, 0, 0);

    public Jitter {
      if (!(brightness >= 0 && contrast >= 0 && saturation >= 0))
        throw new IllegalArgumentException("jitter is not negative, found " + brightness + ", " + contrast + ", "
            + saturation);
      if (!(hue >= 0 && hue <= .5)) throw new IllegalArgumentException("jitter of the hue is 0 to 0.5, found " + hue);
    }

    /// The four changes in an order drawn by chance, as torchvision's `ColorJitter`.
    Pixels apply(Pixels image, RandomGenerator random) {
      int[] order = {0, 1, 2, 3};
      for (int i = 3; i > 0; i--) {
        int j = random.nextInt(i + 1), swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
      }
      double b = factor(brightness, random), c = factor(contrast, random), s = factor(saturation, random),
          h = hue * (2 * random.nextDouble() - 1);
      for (int change : order) {
        image = switch (change) {
          case 0 -> brightness == 0 ? image : Colour.brightness(image, b);
          case 1 -> contrast == 0 ? image : Colour.contrast(image, c);
          case 2 -> saturation == 0 ? image : Colour.saturation(image, s);
          default -> hue == 0 ? image : Colour.hue(image, h);
        };
      }
      return image;
    }

    private static double factor(double x, RandomGenerator random) {
      double low = Math.max(0, 1 - x);
      return low + random.nextDouble() * (1 + x - low);
    }
  }

  public Augmentation {
    checked(flip);
    checked(blur);
  }

  private static void checked(double p) {
    if (!(p >= 0 && p <= 1)) throw new IllegalArgumentException("a probability is 0 to 1, found " + p);
  }

  /// The same with another range of areas.
  public Augmentation scale(double least, double most) {
    return cropped(new Crop(least, most, crop.narrowest, crop.widest, crop.interpolation));
  }

  /// The same with another range of width/height.
  public Augmentation ratio(double narrowest, double widest) {
    return cropped(new Crop(crop.least, crop.most, narrowest, widest, crop.interpolation));
  }

  /// The same with another crop.
  public Augmentation cropped(Crop crop) { return new Augmentation(crop, flip, policy, colours, blur, erasing); }

  /// The same with another probability of a flip.
  public Augmentation flip(double flip) { return new Augmentation(crop, flip, policy, colours, blur, erasing); }

  /// The same with another policy.
  public Augmentation policy(Policy policy) { return new Augmentation(crop, flip, policy, colours, blur, erasing); }

  /// The same with other colours.
  public Augmentation colours(Jitter jitter, double jitterProbability, double greyProbability) {
    var colours = new Colours(jitter, jitterProbability, greyProbability);
    return new Augmentation(crop, flip, policy, colours, blur, erasing);
  }

  /// The same with another blur.
  public Augmentation blur(double blur) { return new Augmentation(crop, flip, policy, colours, blur, erasing); }

  /// The same with other erasing.
  public Augmentation erasing(Erasing erasing) { return new Augmentation(crop, flip, policy, colours, blur, erasing); }

  /// The augmented image of `height` × `width`, before it is normalised.
  public Pixels apply(Picture picture, int height, int width, RandomGenerator random) {
    return changed(crop.of(picture, crop.narrowest, crop.widest, random), width, height, random);
  }

  /// The augmented image at the proportions of its crop, in the size that as many patches as there is room for have;
  /// the range of proportions is relative to the picture's own, as in timm.
  public Pixels apply(Picture picture, PatchFrame frame, RandomGenerator random) {
    double own = (double) picture.width() / picture.height();
    var part = crop.of(picture, own * crop.narrowest, own * crop.widest, random);
    var g = frame.grid(part.height(), part.width());
    return changed(part.pixels().picture(), g.width() * frame.side(), g.height() * frame.side(), random);
  }

  private Pixels changed(Picture part, int width, int height, RandomGenerator random) {
    var how = crop.interpolation != null ? crop.interpolation
        : random.nextBoolean() ? Interpolation.BICUBIC : Interpolation.BILINEAR;
    Pixels image = Resize.of(part, width, height, how).pixels();
    // every sample draws the same numbers whether it is changed or not, so that one probability does not disturb the
    // others
    double flipDraw = random.nextDouble(), jitterDraw = random.nextDouble(), greyDraw = random.nextDouble();
    if (flipDraw < flip) image = Geometry.flip(image);
    if (!(policy instanceof Policy.None)) image = policy.apply(image, new SplittableRandom(random.nextLong()));
    if (jitterDraw < colours.jitterProbability) image = colours.jitter.apply(image, random);
    if (greyDraw < colours.greyProbability) image = Colour.greyscale(image);
    if (blur == 0) return image;
    double blurDraw = random.nextDouble(), deviation = SHARPEST + (SOFTEST - SHARPEST) * random.nextDouble();
    return blurDraw < blur ? Blur.gaussian(image, deviation) : image;
  }
}
