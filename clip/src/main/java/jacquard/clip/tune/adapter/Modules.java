package jacquard.clip.tune.adapter;

import jacquard.autograd.Parameters;
import jacquard.clip.model.ClipModel;
import jacquard.clip.nn.Linear;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.regex.Pattern;

/// The linear layers of a model by the names that adapters have for them: those of transformers' CLIP, where queries,
/// keys
/// and values are apart, or those of OpenCLIP's own tree.
public final class Modules {
  private static final Pattern BLOCK = Pattern.compile(
      "(visual|text)\\.transformer\\.resblocks\\.(\\d+)\\.(attn|attn\\.out_proj|mlp\\.c_fc|mlp\\.c_proj)");
  private static final List<String> PARTS = List.of("q_proj", "k_proj", "v_proj");

  private Modules() {}

  /// Outputs of a layer.
  ///
  /// @param path of the layer
  public record Place(String path, Linear layer, int from, int to) {
    int in() { return layer.weight().dim(1); }
    int out() { return to - from; }
  }

  /// The layers by path.
  static SequencedMap<String, Linear> layers(ClipModel model) {
    var r = new LinkedHashMap<String, Linear>();
    Parameters.replace(model, (path, record) -> {
      if (record instanceof Linear l && (path.startsWith("visual.") || path.startsWith("text."))) r.putIfAbsent(path,
          l);
      return record;
    });
    return r;
  }

  /// Places by their names in transformers' CLIP; only OpenCLIP's own transformers have such.
  public static SequencedMap<String, Place> huggingFace(ClipModel model) {
    var r = new LinkedHashMap<String, Place>();
    layers(model).forEach((path, l) -> {
      var m = BLOCK.matcher(path);
      if (!m.matches()) return;
      var before = (m.group(1).equals("visual") ? "vision_model" : "text_model") + ".encoder.layers." + m.group(2)
          + ".";
      int out = l.weight().dim(0);
      if (m.group(3).equals("attn"))
        for (int i = 0; i < 3; i++)
          r.put(before + "self_attn." + PARTS.get(i), new Place(path, l, i * out / 3, (i + 1) * out / 3));
      else r.put(before + switch (m.group(3)) {
        case "attn.out_proj" -> "self_attn.out_proj";
        case "mlp.c_fc" -> "mlp.fc1";
        default -> "mlp.fc2";
      }, new Place(path, l, 0, out));
    });
    return r;
  }

  /// Places by their names in OpenCLIP's tree.
  public static SequencedMap<String, Place> openClip(ClipModel model) {
    var r = new LinkedHashMap<String, Place>();
    layers(model).forEach((path, l) -> r.put(model.nameOf(path), new Place(path, l, 0, l.weight().dim(0))));
    return r;
  }
}
