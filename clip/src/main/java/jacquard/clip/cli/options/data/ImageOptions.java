package jacquard.clip.cli.options.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.TextNode;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.AugmentationConfig;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.augment.Erasing;
import jacquard.clip.image.augment.policy.Policy;
import java.util.List;
import picocli.CommandLine.Option;

/// How training prepares pictures.
public final class ImageOptions {
  @Option(names = "--image-mean", arity = "3", paramLabel = "X",
      description = "Mean that is subtracted, of samples 0 to 1 (default: that of the weights, or OpenAI's).")
  List<Float> mean = List.of();
  @Option(names = "--image-std", arity = "3", paramLabel = "X", description = "Deviation that is divided by.")
  List<Float> std = List.of();
  @Option(names = "--image-interpolation", paramLabel = "FILTER",
      description = "bicubic, bilinear, lanczos, box, hamming or nearest, in evaluation.")
  String interpolation;
  @Option(names = "--image-resize-mode", paramLabel = "MODE",
      description = "shortest (cut), longest (margins) or squash, in evaluation.")
  String mode;
  @Option(names = "--aug-cfg", arity = "1..*", paramLabel = "KEY=VALUE",
      description = "OpenCLIP's augmentation in place of the options below: scale=(0.9,1.0), color_jitter=(b,c,s,h) "
          + "with color_jitter_prob, gray_scale_prob; with use_timm=True also ratio, re_prob and re_count.")
  List<String> config = List.of();
  @Option(names = "--augment", paramLabel = "POLICY",
      description = "Operations drawn by chance: randaugment, trivialaugment, autoaugment-imagenet (torchvision's); "
          + "rand-m9-mstd0.5-inc1, original, augmix-m3 (timm's). It comes before the colour jitter (default: "
          + "${DEFAULT-VALUE}).")
  String policy = "none";
  @Option(names = "--crop", paramLabel = "SHARE",
      description = "Smallest area of a random crop (default: ${DEFAULT-VALUE}; OpenCLIP: 0.9).")
  double crop = 0.7;
  @Option(names = "--flip", paramLabel = "P",
      description = "How often a picture is mirrored (default: ${DEFAULT-VALUE}, as OpenCLIP).")
  double flip = 0;
  @Option(names = "--color-jitter", paramLabel = "X",
      description = "Brightness, contrast and saturation of the colour jitter, 0 for none (default: ${DEFAULT-VALUE}).")
  double jitter = 0;
  @Option(names = "--color-jitter-prob", paramLabel = "P",
      description = "How often colours move (default: ${DEFAULT-VALUE}).")
  double jitterProbability = 0.8;
  @Option(names = "--gray-scale-prob", paramLabel = "P",
      description = "How often a picture loses its colours (default: ${DEFAULT-VALUE}).")
  double grey = 0;

  @Option(names = "--blur-prob", paramLabel = "P",
      description = "How often a picture is blurred (default: ${DEFAULT-VALUE}).")
  double blur = 0;
  @Option(names = "--erase-prob", paramLabel = "P",
      description = "How often a rectangle of a picture becomes noise (default: ${DEFAULT-VALUE}).")
  double erase = 0;

  /// Those of a fine-tuning: crops alone, as its published recipes have it.
  public static ImageOptions tuning() {
    var r = new ImageOptions();
    r.crop = 0.8;
    return r;
  }

  public PreprocessConfig over(PreprocessConfig given) {
    var r = with(given, "--image-mean", "mean", numbers(mean));
    r = with(r, "--image-std", "std", numbers(std));
    r = with(r, "--image-interpolation", "interpolation", interpolation == null ? null : new TextNode(interpolation));
    return with(r, "--image-resize-mode", "resize_mode", mode == null ? null : new TextNode(mode));
  }

  private static JsonNode numbers(List<Float> values) {
    var r = JsonNodeFactory.instance.arrayNode();
    values.forEach(r::add);
    return r.isEmpty() ? null : r;
  }

  private static PreprocessConfig with(PreprocessConfig given, String option, String key, JsonNode value) {
    if (value == null) return given;
    try { return given.with(JsonNodeFactory.instance.objectNode().set(key, value)); }
    catch (IllegalArgumentException e) { throw new IllegalArgumentException(option + ": " + e.getMessage(), e); }
  }

  /// @param prepared how pictures are prepared
  public Augmentation augmentation(PreprocessConfig prepared) {
    var how = "random".equals(interpolation) ? null : prepared.interpolation();
    var policy = Policy.named(this.policy, how, prepared.mean(), Math.min(prepared.height(), prepared.width()));
    if (!config.isEmpty()) return AugmentationConfig.parse(config).augmentation(how).policy(policy);
    if (!(crop > 0 && crop <= 1))
      throw new IllegalArgumentException("--crop " + crop + ", expected more than 0 and at most 1");
    share("--flip", flip);
    share("--color-jitter-prob", jitterProbability);
    share("--gray-scale-prob", grey);
    share("--blur-prob", blur);
    share("--erase-prob", erase);
    if (!(jitter >= 0 && jitter < Double.POSITIVE_INFINITY))
      throw new IllegalArgumentException("--color-jitter " + jitter + ", expected 0 or more");
    return Augmentation.DEFAULT.scale(crop, 1).flip(flip).policy(policy)
        .colours(new Augmentation.Jitter(jitter, jitter, jitter, 0), jitter > 0 ? jitterProbability : 0, grey)
        .blur(blur).erasing(new Erasing(erase, 1));
  }

  private static void share(String option, double value) {
    if (!(value >= 0 && value <= 1)) throw new IllegalArgumentException(option + " " + value + ", expected 0 to 1");
  }
}
