package jacquard.clip.image;

import jacquard.clip.image.Augmentation.Crop;
import jacquard.clip.image.Augmentation.Jitter;
import jacquard.clip.image.augment.Erasing;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// OpenCLIP's `aug_cfg`: keys with values as Python writes them, `scale=(0.4, 1.0)`, and what they mean there. Without
/// `use_timm` that is a crop, colour jitter and greyscale; with it timm's crop, jitter and erasing.
///
/// @param values of each key: a number, several, `true` or `false` as 1 and 0
public record AugmentationConfig(Map<String, List<Double>> values) {
  private static final Set<String> KEYS = Set.of("scale", "ratio", "color_jitter", "re_prob", "re_count", "use_timm",
      "color_jitter_prob", "gray_scale_prob");
  private static final Set<String> OF_TIMM = Set.of("ratio", "re_prob", "re_count");

  /// @param words `key=value`
  /// @throws IllegalArgumentException naming the word that cannot be
  public static AugmentationConfig parse(List<String> words) {
    var r = new HashMap<String, List<Double>>();
    for (var w : words) {
      int at = w.indexOf('=');
      var key = at < 0 ? w : w.substring(0, at).strip();
      if (at < 0 || !KEYS.contains(key))
        throw new IllegalArgumentException("--aug-cfg " + w + ": expected KEY=VALUE, the key one of "
            + String.join(", ", KEYS.stream().sorted().toList()));
      var value = w.substring(at + 1).strip();
      if (value.equals("None")) r.remove(key);
      else r.put(key, numbers(w, value));
    }
    return new AugmentationConfig(r);
  }

  private static List<Double> numbers(String word, String value) {
    boolean several = value.matches("\\(.*\\)|\\[.*]");
    var r = new ArrayList<Double>();
    for (var part : (several ? value.substring(1, value.length() - 1) : value).split(several ? "," : "\0")) {
      var p = part.strip();
      if (p.isEmpty() && several) continue;
      try { r.add(p.equals("True") ? 1.0 : p.equals("False") ? 0.0 : Double.parseDouble(p)); }
      catch (NumberFormatException e) {
        throw new IllegalArgumentException("--aug-cfg " + word + ": \"" + p + "\" is no number; expected as in "
            + "scale=(0.4, 1.0), color_jitter=0.4 or use_timm=True", e);
      }
    }
    return r;
  }

  /// What they mean.
  ///
  /// @param interpolation of timm's crop; null where it draws bilinear or bicubic
  /// @throws IllegalArgumentException naming the key whose value, or absence, does not go with the others
  public Augmentation augmentation(Interpolation interpolation) {
    boolean timm = one("use_timm", 0) != 0;
    var scale = several("scale", List.of(.9, 1.0), 2);
    var jitter = values.get("color_jitter");
    if (timm) {
      var ratio = several("ratio", List.of(3.0 / 4, 4.0 / 3), 2);
      var crop = new Crop(scale.get(0), scale.get(1), ratio.get(0), ratio.get(1), interpolation);
      var erasing = new Erasing(one("re_prob", 0), (int) one("re_count", 1));
      var a = Augmentation.DEFAULT.cropped(crop).erasing(erasing);
      return jitter == null ? a : a.colours(jitter(jitter), 1, 0);
    }
    for (var key : OF_TIMM)
      if (values.containsKey(key))
        throw new IllegalArgumentException("--aug-cfg " + key + " says nothing without use_timm=True");
    double moved = one("color_jitter_prob", 0), grey = one("gray_scale_prob", 0);
    if (moved > 0 && (jitter == null || jitter.size() != 4))
      throw new IllegalArgumentException("--aug-cfg color_jitter_prob needs color_jitter=(brightness, contrast, "
          + "saturation, hue)");
    return Augmentation.DEFAULT.scale(scale.get(0), scale.get(1))
        .colours(moved > 0 ? jitter(jitter) : Jitter.NONE, moved, grey);
  }

  private static Jitter jitter(List<Double> x) {
    return switch (x.size()) {
      case 1 -> new Jitter(x.get(0), x.get(0), x.get(0), 0);
      case 3 -> new Jitter(x.get(0), x.get(1), x.get(2), 0);
      case 4 -> new Jitter(x.get(0), x.get(1), x.get(2), x.get(3));
      default -> throw new IllegalArgumentException("--aug-cfg color_jitter has " + x.size()
          + " numbers, expected 1, 3 or 4");
    };
  }

  private double one(String key, double otherwise) { return several(key, List.of(otherwise), 1).getFirst(); }

  private List<Double> several(String key, List<Double> otherwise, int count) {
    var r = values.getOrDefault(key, otherwise);
    if (r.size() != count)
      throw new IllegalArgumentException("--aug-cfg " + key + " has " + r.size() + " numbers, expected " + count);
    return r;
  }
}
