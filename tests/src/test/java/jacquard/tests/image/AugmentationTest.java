package jacquard.tests.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Augmentation.Crop;
import jacquard.clip.image.Augmentation.Jitter;
import jacquard.clip.image.AugmentationConfig;
import jacquard.clip.image.Interpolation;
import jacquard.clip.image.Pixels;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.Transform;
import jacquard.clip.image.augment.Canvas;
import jacquard.clip.image.augment.Erasing;
import jacquard.clip.image.augment.Operation;
import jacquard.clip.image.augment.policy.Policy;
import jacquard.clip.image.augment.policy.Timm;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Policies by name, how often they act, OpenCLIP's `aug_cfg`, and what is erased. That every operation gives the
/// pixels of torchvision and timm is in the recorded cases.
class AugmentationTest {
  private static final List<String> NAMES = List.of("randaugment", "randaugment-n3-m20", "trivialaugment",
      "autoaugment-imagenet", "autoaugment-cifar10", "autoaugment-svhn", "rand-m9-mstd0.5-inc1", "rand-m9", "rand-m5-t3a",
      "rand-m9-t3aw-n3", "rand-mstd101-tweights-mmax20", "original-mstd0.5", "originalr", "v0", "v0r", "3a", "augmix-m3",
      "augmix-m5-w4-d2-b1-a0.5");

  private static Pixels image(long seed) {
    byte[] rgb = new byte[24 * 20 * 3];
    new SplittableRandom(seed).nextBytes(rgb);
    return new Pixels(24, 20, rgb);
  }

  private static Policy policy(String name) {
    return Policy.named(name, Interpolation.BICUBIC, PreprocessConfig.OPENAI_MEAN, 20);
  }

  /// Whatever is drawn, the size stays, and the seed alone decides.
  @Test void aSeedGivesTheSamePixelsAndAnotherSeedOthers() {
    for (var name : NAMES) {
      var p = policy(name);
      var seen = new HashSet<Pixels>();
      for (long seed = 0; seed < 40; seed++) {
        var once = p.apply(image(1), new SplittableRandom(seed));
        assertEquals(once, policy(name).apply(image(1), new SplittableRandom(seed)), name);
        assertEquals(24 * 100 + 20, once.width() * 100 + once.height(), name);
        seen.add(once);
      }
      assertTrue(seen.size() > (name.startsWith("3a") ? 2 : 8), name + " gave " + seen.size());
    }
    assertEquals(image(1), policy("none").apply(image(1), new SplittableRandom(1)));
  }

  /// timm applies each operation with probability ½: nothing happens to a quarter of the images (and a little more,
  /// since equalized noise stays nearly what it was).
  @Test void timmsOperationsAreAppliedHalfTheTime() {
    var p = policy("rand-m9-mstd0.5-inc1");
    int untouched = 0, n = 2000;
    for (int i = 0; i < n; i++) if (p.apply(image(i), new SplittableRandom(i)).equals(image(i))) untouched++;
    assertEquals(.25, untouched / (double) n, .05);
    int always = 0;
    for (int i = 0; i < n; i++)
      if (policy("rand-m9-p1").apply(image(i), new SplittableRandom(i)).equals(image(i))) always++;
    assertTrue(always < n / 20, always + " untouched");
  }

  @Test void unknownPartsOfANameAreNamed() {
    for (var wrong : List.of("rand-z3", "randaugment-m31", "augment", "autoaugment-mnist", "augmix-m11", "rand-m",
        "v0-inc1", ""))
      assertTrue(assertThrows(IllegalArgumentException.class, () -> policy(wrong), wrong).getMessage().length() > 20);
  }

  /// Level 10 of timm's posterize keeps no bit: black, where Pillow 13 ends the training.
  @Test void noBitsAreBlack() {
    assertEquals(0, Timm.argument("PosterizeIncreasing", 10, 1, new Timm.Strength(0, 10, 20, .45)));
    var black = Operation.POSTERIZE.apply(image(1), 0, Canvas.black(Interpolation.NEAREST));
    assertEquals(Pixels.filled(24, 20, 0), black);
  }

  private static Augmentation config(String... words) {
    return AugmentationConfig.parse(List.of(words)).augmentation(Interpolation.BILINEAR);
  }

  @Test void openClipsConfigMeansWhatItMeansThere() {
    assertEquals(Augmentation.DEFAULT, config("use_timm=False"));
    assertEquals(Augmentation.DEFAULT.scale(.4, 1).colours(new Jitter(.32, .32, .32, .08), .8, .2),
        config("scale=(0.4, 1.0)", "color_jitter=(0.32, 0.32, 0.32, 0.08)", "color_jitter_prob=0.8",
            "gray_scale_prob=0.2"));
    // without its probability the jitter is not used
    assertEquals(Augmentation.DEFAULT, config("color_jitter=0.4"));
    // timm's: always, of the interpolation given; probabilities of jitter and greyscale say nothing
    assertEquals(Augmentation.DEFAULT.cropped(new Crop(.5, 1, .9, 1.1, Interpolation.BILINEAR))
        .colours(new Jitter(.4, .4, .4, 0), 1, 0).erasing(new Erasing(.25, 3)),
        config("use_timm=True", "scale=[0.5, 1]", "ratio=(0.9,1.1)", "color_jitter=0.4", "re_prob=0.25", "re_count=3",
            "gray_scale_prob=0.5", "color_jitter_prob=0.3"));
    for (var wrong : List.of("scale=0.5", "re_prob=0.3", "color_jitter_prob=0.5", "flip=0.5", "scale", "scale=(a,b)"))
      assertTrue(assertThrows(IllegalArgumentException.class, () -> config(wrong)).getMessage()
          .contains(wrong.split("=")[0]));
  }

  /// Of what is normalised, a rectangle of 2 to 34 % becomes noise of mean 0 and deviation 1; the rest stays.
  @Test void aRectangleIsErased() {
    int size = 64, images = 200, touched = 0;
    double sum = 0, squares = 0;
    long erased = 0;
    for (int seed = 0; seed < images; seed++) {
      float[] rows = new float[size * size * 3];
      java.util.Arrays.fill(rows, 9);
      new Erasing(.5, 1).apply(rows, size, size, new SplittableRandom(seed));
      int left = size, right = -1, top = size, bottom = -1, count = 0;
      for (int i = 0; i < rows.length; i++) {
        if (rows[i] == 9) continue;
        int x = i / 3 % size, y = i / 3 / size;
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
        count++;
        sum += rows[i];
        squares += rows[i] * rows[i];
      }
      if (count == 0) continue;
      touched++;
      erased += count;
      assertEquals(count, 3 * (right - left + 1) * (bottom - top + 1), "a rectangle");
      assertTrue(count > .015 * rows.length && count < .35 * rows.length, count + " of " + rows.length);
    }
    assertEquals(.5, touched / (double) images, .1);
    assertEquals(0, sum / erased, .01);
    assertEquals(1, squares / erased, .02);
  }

  /// Erasing and a policy take their draws after the older ones, so that crops and colours stay what they were.
  @Test void aPolicyLeavesTheCropAsItWas() {
    var plain = Augmentation.DEFAULT.scale(.3, 1);
    var picture = image(3).picture();
    var black = plain.policy(policy("randaugment-n1-m0"));
    int same = 0;
    for (int seed = 0; seed < 100; seed++)
      if (plain.apply(picture, 16, 16, new SplittableRandom(seed)).equals(black.apply(picture, 16, 16,
          new SplittableRandom(seed)))) same++;
    assertTrue(same > 70, same + " of 100; at bin 0 only equalize and autocontrast change anything");
  }

  @Test void rowsGoBackToTheirPixels() {
    var transform = new Transform(PreprocessConfig.ofSize(20));
    assertEquals(image(5), transform.image(transform.rows(image(5)), 20, 24));
    var t = new Transform(PreprocessConfig.ofSize(24));
    var erasing = Augmentation.DEFAULT.erasing(new Erasing(1, 1));
    assertNotEquals(t.image(t.rows(image(5).picture(), Augmentation.DEFAULT, new SplittableRandom(1)), 24, 24),
        t.image(t.rows(image(5).picture(), erasing, new SplittableRandom(1)), 24, 24));
  }
}
