package jacquard.tests.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Augmentation.Jitter;
import jacquard.clip.image.resize.Box;
import jacquard.clip.image.augment.Colour;
import jacquard.clip.image.augment.Canvas;
import jacquard.clip.image.augment.Geometry;
import jacquard.clip.image.Images;
import jacquard.clip.image.Interpolation;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import jacquard.clip.image.Pixels;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.PreprocessConfig.ResizeMode;
import jacquard.clip.image.resize.Resize;
import jacquard.clip.image.Transform;
import java.io.IOException;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Transforms beyond the recorded cases: configs, edges, chance.
class TransformTest {
  private static final Augmentation EVERYTHING =
      Augmentation.DEFAULT.scale(.2, 1).flip(.5).colours(new Jitter(.4, .4, .4, .1), .8, .2);

  private static Picture photo() throws IOException { return Images.read(ImagesTest.source("rgb.png")); }

  @Test void equalSeedsGiveEqualBits() throws IOException {
    Picture photo = photo();
    int different = 0;
    for (long seed = 0; seed < 40; seed++) {
      Pixels once = EVERYTHING.apply(photo, 24, 32, new SplittableRandom(seed)),
          again = EVERYTHING.apply(photo, 24, 32, new SplittableRandom(seed));
      assertEquals(once, again);
      assertEquals(32, once.width());
      assertEquals(24, once.height());
      if (!once.equals(EVERYTHING.apply(photo, 24, 32, new SplittableRandom(seed + 1000)))) different++;
    }
    assertEquals(40, different);
    assertEquals(photo(), photo, "the source is untouched");
  }

  /// A crop of the whole area and its own proportions is the resize alone; flip and grey at probability 1 are those
  /// operations.
  @Test void certainAugmentationsAreTheirOperations() throws IOException {
    Picture photo = photo();
    var whole = Augmentation.DEFAULT.scale(1, 1).ratio(97.0 / 61, 97.0 / 61);
    Pixels resized = Resize.of(photo.pixels(), 32, 32, Interpolation.BICUBIC);
    assertEquals(resized, whole.apply(photo, 32, 32, new SplittableRandom(1)));
    assertEquals(Geometry.flip(resized), whole.flip(1).apply(photo, 32, 32, new SplittableRandom(1)));
    assertEquals(Colour.greyscale(resized), whole.colours(Jitter.NONE, 0, 1)
        .apply(photo, 32, 32, new SplittableRandom(1)));
    assertNotEquals(resized, whole.colours(new Jitter(.4, 0, 0, 0), 1, 0)
        .apply(photo, 32, 32, new SplittableRandom(1)));
  }

  /// Where no crop of the wanted proportions fits, it is the middle: of a 300×10 strip at most 4:3, 13 of its columns.
  @Test void impossibleCropsFallBackToTheMiddle() {
    byte[] samples = new byte[300 * 10];
    for (int i = 0; i < samples.length; i++) samples[i] = (byte) (i % 300 >= 143 && i % 300 < 156 ? 200 : 0);
    Pixels image = Augmentation.DEFAULT.apply(Picture.of(Mode.GREY, 300, 10, samples), 10, 13, new SplittableRandom(3));
    for (byte sample : image.rgb()) assertEquals(200, sample & 255);
  }

  @Test void flippingTwiceIsNothing() throws IOException {
    Pixels photo = photo().pixels();
    assertEquals(photo, Geometry.flip(Geometry.flip(photo)));
    var nearest = Canvas.black(Interpolation.NEAREST);
    assertEquals(photo, Geometry.rotate(Geometry.rotate(photo, 180, nearest), -180,
        Canvas.black(Interpolation.BILINEAR)));
    assertSame(photo, Geometry.rotate(photo, 360, nearest));
  }

  /// A picture of one level stays so under every filter, in every mode, however it is cut and sized.
  @Test void levelPicturesStayLevel() {
    for (Mode mode : new Mode[] {Mode.GREY, Mode.RGB, Mode.CMYK, Mode.GREY16}) {
      byte[] samples = new byte[13 * 7 * mode.bytes()];
      java.util.Arrays.fill(samples, (byte) 77);
      Picture level = Picture.of(mode, 13, 7, samples);
      for (Interpolation interpolation : Interpolation.values())
        for (int[] size : new int[][] {{1, 1}, {5, 40}, {40, 3}, {13, 20}, {6, 7}})
          for (byte sample : Resize.of(level, size[0], size[1], interpolation, new Box(.5f, .25f, 12.5f, 6)).samples())
            assertEquals(77,
              sample, mode + " " + interpolation);
    }
  }

  @Test void badSizesAndBoxesAreRefused() throws IOException {
    Picture photo = photo();
    assertThrows(IllegalArgumentException.class, () -> Resize.of(photo, 0, 5, Interpolation.BICUBIC));
    assertThrows(IllegalArgumentException.class, () ->
        Resize.of(photo, 5, 5, Interpolation.BICUBIC, new Box(0, 0, 98, 61)));
    assertThrows(IllegalArgumentException.class, () ->
        Resize.of(photo, 5, 5, Interpolation.BICUBIC, new Box(5, 5, 5, 9)));
    assertThrows(IllegalArgumentException.class, () -> photo.crop(50, 0, 48, 10));
    assertThrows(IllegalArgumentException.class, () -> new Pixels(3, 3, new byte[26]));
    assertThrows(IllegalArgumentException.class, () -> Augmentation.DEFAULT.scale(0, 1));
    assertThrows(IllegalArgumentException.class, () -> Colour.hue(photo.pixels(), .6));
  }

  @Test void configsReadAndWriteUpstreamsNames() throws IOException {
    var mapper = new ObjectMapper();
    var config = PreprocessConfig.ofSize(224).with(mapper.readTree("""
        {"size": [256, 128], "mode": "RGB", "mean": [0.5, 0.5, 0.5], "std": 0.25, "interpolation": "bilinear",
         "resize_mode": "longest", "fill_color": 7, "other": 1}"""));
    assertEquals(new PreprocessConfig(256, 128, PreprocessConfig.INCEPTION_MEAN, java.util.List.of(.25f, .25f, .25f),
        Interpolation.BILINEAR, ResizeMode.LONGEST, 7, 1), config);
    assertEquals(config, PreprocessConfig.ofSize(1).with(config.json()));
    assertEquals(.48145466f, PreprocessConfig.ofSize(224).json().get("mean").get(0).floatValue());
    assertEquals(224, PreprocessConfig.ofSize(224).json().get("size").intValue());
    for (String bad : new String[] {"{\"size\": 1.5}", "{\"size\": [1, 2, 3]}", "{\"mode\": \"L\"}", "{\"mean\": [1]}",
        "{\"interpolation\": \"cubic\"}", "{\"size\": 0}", "[]"})
      assertThrows(IllegalArgumentException.class, () -> PreprocessConfig.ofSize(1).with(mapper.readTree(bad)), bad);
  }

  /// `crop_pct` keeps the middle of a picture that is resized larger: of 32 columns at 0.5 the middle 16.
  @Test void cropKeepsTheMiddle() throws IOException {
    var mapper = new ObjectMapper();
    var config = PreprocessConfig.ofSize(16).with(mapper.readTree("{\"crop_pct\": 0.5}"));
    assertEquals(config, PreprocessConfig.ofSize(16).with(config.json()));
    byte[] rgb = new byte[33 * 32 * 3];
    for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) (i / 3 % 33);
    Pixels image = new Transform(config).pixels(new Pixels(33, 32, rgb).picture());
    assertEquals(16, image.width());
    for (int y = 0; y < 16; y++) for (int x = 0; x < 16; x++) assertEquals(8 + x, image.sample(x, y, 0));
    for (String bad : new String[] {"0", "1.5", "\"half\""})
      assertThrows(IllegalArgumentException.class,
          () -> PreprocessConfig.ofSize(1).with(mapper.readTree("{\"crop_pct\": " + bad + "}")), bad);
  }

  @Test void rowsAndPlanesHoldTheSame() {
    var transform = new Transform(PreprocessConfig.ofSize(2)
        .normalised(PreprocessConfig.INCEPTION_MEAN, PreprocessConfig.INCEPTION_STD));
    float[] rows = transform.rows(new Pixels(2, 1, new byte[] {0, (byte) 255, 0, (byte) 255, 0, (byte) 255}));
    assertArrayEquals(new float[] {-1, 1, -1, 1, -1, 1}, rows);
    assertArrayEquals(new float[] {-1, 1, 1, -1, -1, 1}, Transform.planes(rows));
  }

  /// The margin of `longest` is the fill colour, half above and half below.
  @Test void longestLeavesAMargin() {
    var config = PreprocessConfig.ofSize(4).resized(Interpolation.BICUBIC, ResizeMode.LONGEST);
    var filled = new PreprocessConfig(4, 4, config.mean(), config.std(), config.interpolation(), config.resizeMode(),
        9, 1);
    Pixels image = new Transform(filled).pixels(Pixels.filled(8, 4, 0x646464).picture());
    for (int y = 0; y < 4; y++)
      for (int x = 0; x < 4; x++) assertEquals(y == 0 || y == 3 ? 9 : 100, image.sample(x, y, 0));
    assertTrue(image.width() == 4 && image.height() == 4);
  }
}
