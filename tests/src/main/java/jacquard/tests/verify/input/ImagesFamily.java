package jacquard.tests.verify.input;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.image.Images;
import jacquard.clip.image.Interpolation;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import jacquard.clip.image.Pixels;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.PreprocessConfig.ResizeMode;
import jacquard.clip.image.Transform;
import jacquard.clip.image.augment.Canvas;
import jacquard.clip.image.augment.Colour;
import jacquard.clip.image.augment.Geometry;
import jacquard.clip.image.resize.Box;
import jacquard.clip.image.resize.Resize;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Report;
import jacquard.tests.verify.Tensors;
import jacquard.tests.verify.Tensors.Recorded;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/// What Pillow, torchvision and OpenCLIP make of pictures of every kind. The kind of a case is the first word of its
/// name.
///
/// Tolerances: 8-bit results are equal, but for lossy WebP, whose decoders differ (mean at most 1 of 255, largest at
/// most 6); normalised floats 1e-6, a few roundings of values below 3. What comes after decoding starts from the
/// recorded pixels, so that a decoder's fault stays its own.
public final class ImagesFamily implements Family {
  // both tolerances are those of the recording; a decoder equal to its own, as ours, has error 0
  private static final String LOSSY = "webp_lossy.webp";

  @Override public String name() { return "images"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    Map<String, Recorded> recorded = Tensors.read(folder.resolve("images.safetensors"));
    JsonNode meta = new ObjectMapper().readTree(folder.resolve("meta.json").toFile());
    var cases = new Cases(folder.resolve("src"), recorded, meta, report);
    for (String name : recorded.keySet()) {
      try {
        cases.verify(name);
      } catch (IOException | RuntimeException | Error failure) {
        report.failed(name, failure);
      }
    }
  }

  private record Cases(Path sources, Map<String, Recorded> recorded, JsonNode meta, Report report) {
    void verify(String name) throws IOException {
      String kind = name.contains(".") ? name.substring(0, name.indexOf('.')) : name,
          rest = name.substring(Math.min(kind.length() + 1, name.length()));
      switch (kind) {
        case "decode" -> decode(name, rest);
        case "eval" -> evaluate(name, rest);
        default -> equal(name, kind.startsWith("resize") ? resize(kind, rest) : operation(kind, rest));
      }
    }

    private void decode(String name, String file) throws IOException {
      Pixels found = Images.read(sources.resolve(file)).pixels();
      if (!file.equals(LOSSY)) {
        equal(name, found);
        return;
      }
      Pixels expected = pixels(file);
      if (!sameSize(name, found)) return;
      double sum = 0, largest = 0;
      for (int i = 0; i < found.rgb().length; i++) {
        int difference = Math.abs((found.rgb()[i] & 255) - (expected.rgb()[i] & 255));
        sum += difference;
        largest = Math.max(largest, difference);
      }
      report.check(name, Math.max(sum / found.rgb().length, largest / 6), 1);
    }

    private Pixels resize(String kind, String rest) {
      String interpolation = rest.substring(rest.lastIndexOf('.') + 1), target =
          rest.substring(0, rest.lastIndexOf('.'));
      String[] size = target.substring(target.lastIndexOf('.') + 1).split("x");
      Pixels image = pixels(target.substring(0, target.lastIndexOf('.')));
      int w = Integer.parseInt(size[0]), h = Integer.parseInt(size[1]);
      if (!kind.equals("resizebox")) return Resize.of(image, w, h, Interpolation.named(interpolation));
      var box = new Box((float) (image.width() * .11), (float) (image.height() * .2), (float) (image.width() * .83),
          (float) (image.height() * .97));
      return Resize.of(image, w, h, Interpolation.named(interpolation), box);
    }

    private Pixels operation(String kind, String rest) {
      Pixels image = pixels("rgb.png");
      return switch (kind) {
        case "crop_resize" -> crop(image, rest.substring(0, rest.indexOf('.')));
        case "brightness" -> Colour.brightness(image, Double.parseDouble(rest));
        case "contrast" -> Colour.contrast(image, Double.parseDouble(rest));
        case "saturation" -> Colour.saturation(image, Double.parseDouble(rest));
        case "sharpness" -> Colour.sharpness(image, Double.parseDouble(rest));
        case "hue" -> Colour.hue(image, Double.parseDouble(rest));
        case "hflip" -> Geometry.flip(image);
        case "grayscale3" -> Colour.greyscale(image);
        case "invert" -> Colour.invert(image);
        case "autocontrast" -> Colour.autocontrast(image);
        case "equalize" -> Colour.equalize(image);
        case "posterize" -> Colour.posterize(image, Integer.parseInt(rest));
        case "solarize" -> Colour.solarize(image, Double.parseDouble(rest));
        case "rotate" -> Geometry.rotate(image, Double.parseDouble(rest.substring(0, rest.lastIndexOf('.'))),
            last(rest));
        case "affine" -> switch (rest.substring(0, rest.indexOf('.'))) {
          case "shear_x" -> Geometry.affine(image, 0, 0, 0, 1, 15, 0, last(rest));
          case "shear_y" -> Geometry.affine(image, 0, 0, 0, 1, 0, -12, last(rest));
          case "translate" -> Geometry.affine(image, 0, 9, -5, 1, 0, 0, last(rest));
          default -> throw new IllegalArgumentException("affine case " + rest + " is unknown");
        };
        default -> throw new IllegalArgumentException("kind of case '" + kind + "' is unknown");
      };
    }

    private static Canvas last(String rest) {
      return Canvas.black(Interpolation.named(rest.substring(rest.lastIndexOf('.') + 1)));
    }

    private Pixels crop(Pixels image, String index) {
      JsonNode at = meta.get("crop_resize." + index); // top, left, height, width
      Picture part = image.picture()
      .crop(at.get(1).intValue(), at.get(0).intValue(), at.get(3).intValue(), at.get(2).intValue());
      return Resize.of(part, 32, 32, Interpolation.BICUBIC).pixels();
    }

    private void evaluate(String name, String rest) throws IOException {
      String[] words = rest.split("\\.", 3);
      String file = words[2].substring(0, words[2].lastIndexOf('.'));
      String[] size = words[2].substring(words[2].lastIndexOf('.') + 1).split("x");
      var config = PreprocessConfig.ofSize(Integer.parseInt(size[0])).size(Integer.parseInt(size[0]),
          Integer.parseInt(size[size.length - 1]))
          .resized(Interpolation.named(words[1]), ResizeMode.named(words[0]));
      float[] found = Transform.planes(new Transform(config).rows(source(file))), expected =
          recorded.get(name).floats();
      if (found.length != expected.length) {
        report.check(name, false, found.length + " values, expected " + expected.length);
        return;
      }
      double error = 0;
      for (int i = 0; i < found.length; i++) {
        double difference = Math.abs((double) found[i] - expected[i]);
        if (!(difference <= error)) error = difference; // keeps a NaN
      }
      report.check(name, error, 1e-6);
    }

    /// The file in its own mode, with the recorded samples where they are all that the mode holds.
    private Picture source(String file) throws IOException {
      Picture picture = Images.read(sources.resolve(file));
      Pixels pixels = pixels(file);
      return switch (picture.mode()) {
        case RGB -> pixels.picture();
        case GREY -> {
          byte[] grey = new byte[pixels.width() * pixels.height()];
          for (int i = 0; i < grey.length; i++) grey[i] = pixels.rgb()[3 * i];
          yield Picture.of(Mode.GREY, pixels.width(), pixels.height(), grey);
        }
        default -> picture;
      };
    }

    private Pixels pixels(String file) { return image("decode." + file); }

    private Pixels image(String name) {
      Recorded tensor = recorded.get(name);
      if (tensor == null) throw new IllegalArgumentException("no tensor " + name + " to start from");
      return new Pixels(tensor.shape()[1], tensor.shape()[0], tensor.bytes());
    }

    private boolean sameSize(String name, Pixels found) {
      Pixels expected = image(name);
      if (found.width() == expected.width() && found.height() == expected.height()) return true;
      report.check(name, false, found + ", expected " + expected);
      return false;
    }

    private void equal(String name, Pixels found) {
      if (!sameSize(name, found)) return;
      byte[] expected = image(name).rgb();
      int differing = 0, first = -1;
      for (int i = 0; i < expected.length; i++) {
        if (expected[i] == found.rgb()[i]) continue;
        if (differing++ == 0) first = i;
      }
      report.check(name, differing == 0, differing == 0 ? "" : "%d of %d samples differ, first at %d: %d, expected %d"
          .formatted(differing, expected.length, first, found.rgb()[first] & 255, expected[first] & 255));
    }
  }
}
