package jacquard.clip.image;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/// How images are prepared for a tower: OpenCLIP's `preprocess_cfg`.
/// @param height rows of the result
/// @param width columns of the result
/// @param mean subtracted from each of red, green and blue, which are 0 to 1
/// @param std divided by afterwards
/// @param fill the sample of the margin where the resize mode leaves one, 0 to 255
/// @param crop the share of the shorter side that a square keeps in the mode `shortest` (`crop_pct`, which timm's
///   classifiers have and OpenCLIP has not); 1 for all of it
public record PreprocessConfig(int height, int width, List<Float> mean, List<Float> std, Interpolation interpolation,
    ResizeMode resizeMode, int fill, double crop) {
  /// Mean and deviation that OpenAI's CLIP was trained with.
  public static final List<Float> OPENAI_MEAN = List.of(.48145466f, .4578275f, .40821073f),
      OPENAI_STD = List.of(.26862954f, .26130258f, .27577711f);
  /// Mean and deviation of ImageNet.
  public static final List<Float> IMAGENET_MEAN = List.of(.485f, .456f, .406f), IMAGENET_STD =
      List.of(.229f, .224f, .225f);
  /// To the range −1 to 1, as Inception and SigLIP.
  public static final List<Float> INCEPTION_MEAN = List.of(.5f, .5f, .5f), INCEPTION_STD = List.of(.5f, .5f, .5f);

  /// How an image of other proportions comes into the frame.
  public enum ResizeMode {
    /// The frame is filled, and what stands out is cut off on both sides alike.
    SHORTEST,
    /// The whole image is seen, with a margin.
    LONGEST,
    /// The image is stretched.
    SQUASH;

    /// By OpenCLIP's name.
    /// @throws IllegalArgumentException for an unknown name
    public static ResizeMode named(String name) {
      return switch (name) {
        case "shortest" -> SHORTEST;
        case "longest" -> LONGEST;
        case "squash" -> SQUASH;
        default -> throw new IllegalArgumentException("resize mode '" + name
            + "' is unknown; known are shortest, longest, squash");
      };
    }
  }

  public PreprocessConfig {
    if (height <= 0 || width <= 0)
      throw new IllegalArgumentException("an image size is positive, found " + height + "x" + width);
    mean = List.copyOf(mean);
    std = List.copyOf(std);
    if (mean.size() != 3 || std.size() != 3)
      throw new IllegalArgumentException("mean and std have 3 values, found " + mean + " and " + std);
    if (std.contains(0f)) throw new IllegalArgumentException("std is not 0, found " + std);
    if (!(crop > 0 && crop <= 1)) throw new IllegalArgumentException("crop_pct is above 0 and up to 1, found " + crop);
    if (crop != 1 && (resizeMode != ResizeMode.SHORTEST || height != width))
      throw new IllegalArgumentException("crop_pct " + crop + " is for squares and the resize mode shortest");
    if (fill < 0 || fill > 255) throw new IllegalArgumentException("fill is 0 to 255, found " + fill);
  }

  /// OpenCLIP's default for a square of `size`: bicubic, shortest, OpenAI's mean and deviation, black.
  public static PreprocessConfig ofSize(int size) {
    return new PreprocessConfig(size, size, OPENAI_MEAN, OPENAI_STD, Interpolation.BICUBIC, ResizeMode.SHORTEST, 0,
        1);
  }

  /// The same for another size.
  public PreprocessConfig size(int height, int width) {
    return new PreprocessConfig(height, width, mean, std, interpolation, resizeMode, fill, crop);
  }

  /// The same with another mean and deviation.
  public PreprocessConfig normalised(List<Float> mean, List<Float> std) {
    return new PreprocessConfig(height, width, mean, std, interpolation, resizeMode, fill, crop);
  }

  /// The same with another interpolation and resize mode.
  public PreprocessConfig resized(Interpolation interpolation, ResizeMode resizeMode) {
    return new PreprocessConfig(height, width, mean, std, interpolation, resizeMode, fill,
        resizeMode == ResizeMode.SHORTEST ? crop : 1);
  }

  /// This with what `json` says over it: any of OpenCLIP's `size` (a number or [height, width]), `mode` (only `RGB`),
  /// `mean`, `std` (a number or three), `interpolation`, `resize_mode`, `fill_color`, and `crop_pct`. Other keys, and
  /// null, say nothing, as OpenCLIP.
  /// @throws IllegalArgumentException for a value that cannot be, naming its key
  public PreprocessConfig with(JsonNode json) {
    if (!json.isObject())
      throw new IllegalArgumentException("preprocess_cfg is an object, found " + json.getNodeType());
    int h = height, w = width;
    if (json.hasNonNull("size")) {
      JsonNode size = json.get("size");
      boolean pair = size.isArray() && size.size() == 2;
      h = whole(pair ? size.get(0) : size.isArray() && size.size() == 1 ? size.get(0) : size, "size");
      w = whole(pair ? size.get(1) : size.isArray() && size.size() == 1 ? size.get(0) : size, "size");
    }
    if (json.hasNonNull("mode") && !json.get("mode").asText().equals("RGB"))
      throw new IllegalArgumentException("preprocess_cfg.mode is RGB, found " + json.get("mode"));
    return new PreprocessConfig(h, w, three(json, "mean", mean), three(json, "std", std),
        json.hasNonNull("interpolation") ? Interpolation.named(json.get("interpolation").asText()) : interpolation,
        json.hasNonNull("resize_mode") ? ResizeMode.named(json.get("resize_mode").asText()) : resizeMode,
        json.hasNonNull("fill_color") ? whole(json.get("fill_color"), "fill_color") : fill, share(json));
  }

  private double share(JsonNode json) {
    if (!json.hasNonNull("crop_pct")) return crop;
    var node = json.get("crop_pct");
    if (node.isNumber()) return node.doubleValue();
    throw new IllegalArgumentException("preprocess_cfg.crop_pct is a number above 0 and up to 1, found " + node);
  }

  private static int whole(JsonNode node, String key) {
    if (!node.isNumber() || !node.canConvertToExactIntegral() || !node.canConvertToInt())
      throw new IllegalArgumentException("preprocess_cfg." + key + " is a whole number"
          + (key.equals("size") ? " or [height, width]" : "")
          + ", found " + node);
    return node.intValue();
  }

  private static List<Float> three(JsonNode json, String key, List<Float> otherwise) {
    if (!json.hasNonNull(key)) return otherwise;
    JsonNode node = json.get(key);
    if (node.isNumber()) return List.of(node.floatValue(), node.floatValue(), node.floatValue());
    if (!node.isArray() || node.size() != 3 || !node.get(0).isNumber() || !node.get(1).isNumber()
        || !node.get(2).isNumber())
      throw new IllegalArgumentException("preprocess_cfg." + key + " is 3 numbers, found " + node);
    return List.of(node.get(0).floatValue(), node.get(1).floatValue(), node.get(2).floatValue());
  }

  /// What OpenCLIP would write.
  public ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    if (height == width) json.put("size", height); else json.putArray("size").add(height).add(width);
    json.put("mode", "RGB");
    fill(json.putArray("mean"), mean);
    fill(json.putArray("std"), std);
    json.put("interpolation", interpolation.name().toLowerCase(java.util.Locale.ROOT));
    json.put("resize_mode", resizeMode.name().toLowerCase(java.util.Locale.ROOT));
    if (crop != 1) json.put("crop_pct", crop);
    return json.put("fill_color", fill);
  }

  private static void fill(ArrayNode array, List<Float> values) {
    // the short decimal, as upstream writes it
    for (float value : values) array.add(Double.parseDouble(Float.toString(value)));
  }
}
