package jacquard.clip.cli.options;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.PreprocessConfig;
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
  @Option(names = "--crop", paramLabel = "SHARE",
      description = "Smallest area of a random crop (default: ${DEFAULT-VALUE}; OpenCLIP: 0.9).")
  double crop = 0.7;
  @Option(names = "--flip", paramLabel = "P",
      description = "How often a picture is mirrored (default: ${DEFAULT-VALUE}, as OpenCLIP).")
  double flip = 0;
  @Option(names = "--color-jitter", paramLabel = "X",
      description = "Brightness, contrast and saturation of the colour jitter, 0 for none (default: ${DEFAULT-VALUE}).")
  double jitter = 0.4;
  @Option(names = "--color-jitter-prob", paramLabel = "P",
      description = "How often colours move (default: ${DEFAULT-VALUE}).")
  double jitterProbability = 0.8;
  @Option(names = "--gray-scale-prob", paramLabel = "P",
      description = "How often a picture loses its colours (default: ${DEFAULT-VALUE}).")
  double grey = 0.2;

  public PreprocessConfig over(PreprocessConfig given) {
    var json = JsonNodeFactory.instance.objectNode();
    if (!mean.isEmpty()) mean.forEach(json.putArray("mean")::add);
    if (!std.isEmpty()) std.forEach(json.putArray("std")::add);
    if (interpolation != null) json.put("interpolation", interpolation);
    if (mode != null) json.put("resize_mode", mode);
    return given.with(json);
  }

  public Augmentation augmentation() {
    return Augmentation.DEFAULT.scale(crop, 1).flip(flip)
        .colours(new Augmentation.Jitter(jitter, jitter, jitter, 0), jitter > 0 ? jitterProbability : 0, grey);
  }
}
