package jacquard.clip.checkpoint.names;

import jacquard.clip.checkpoint.Weights;
import jacquard.clip.model.ClipConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/// OpenAI's archives, which say nothing of the model but the shapes of its tensors: heads are 64 wide, and quick GELU.
public final class OpenAi {
  private OpenAi() {}

  /// Whether these are weights as OpenAI published them: OpenCLIP's names, and the sizes as buffers.
  public static boolean is(Weights w) {
    return w.contains("input_resolution") && w.contains("context_length") && w.contains("visual.conv1.weight");
  }

  /// @throws IOException naming the tensor, if the shapes are those of no CLIP
  public static ClipConfig config(Weights w) throws IOException {
    var vision = w.contains("visual.proj") ? transformer(w) : resnet(w);
    int width = w.shape("ln_final.weight")[0];
    var text = new LinkedHashMap<String, Object>();
    text.put("context_length", dim(w, "positional_embedding", 0));
    text.put("vocab_size", dim(w, "token_embedding.weight", 0));
    text.put("width", width);
    text.put("heads", Math.max(1, width / 64));
    text.put("layers", count(w, "transformer.resblocks."));
    var r = new LinkedHashMap<String, Object>();
    r.put("embed_dim", dim(w, "text_projection", 1));
    r.put("quick_gelu", true);
    r.put("vision_cfg", vision);
    r.put("text_cfg", text);
    return ClipConfig.of(r, w.file().toString());
  }

  private static Map<String, Object> transformer(Weights w) throws IOException {
    int patch = dim(w, "visual.conv1.weight", 3), side = side(w, "visual.positional_embedding");
    var r = new LinkedHashMap<String, Object>();
    r.put("image_size", patch * side);
    r.put("layers", count(w, "visual.transformer.resblocks."));
    r.put("width", dim(w, "visual.conv1.weight", 0));
    r.put("patch_size", patch);
    return r;
  }

  private static Map<String, Object> resnet(Weights w) throws IOException {
    var layers = new ArrayList<Integer>();
    for (int i = 1; i <= 4; i++) layers.add(count(w, "visual.layer" + i + "."));
    var r = new LinkedHashMap<String, Object>();
    r.put("image_size", 32 * side(w, "visual.attnpool.positional_embedding"));
    r.put("layers", layers);
    r.put("width", dim(w, "visual.layer1.0.conv1.weight", 0));
    r.put("patch_size", null);
    return r;
  }

  /// The side of the grid of positions behind the first.
  private static int side(Weights w, String name) throws IOException {
    return (int) Math.round(Math.sqrt(Math.max(0, dim(w, name, 0) - 1)));
  }

  private static int dim(Weights w, String name, int axis) throws IOException {
    int[] d = w.shape(name);
    if (axis < d.length) return d[axis];
    throw new IOException(w.file() + ": " + name + " has " + d.length + " axes, expected more");
  }

  private static int count(Weights w, String prefix) {
    var number = Pattern.compile(Pattern.quote(prefix) + "(\\d{1,4})\\..*");
    return w.names().stream().map(number::matcher).filter(m -> m.matches())
        .mapToInt(m -> Integer.parseInt(m.group(1)) + 1).max().orElse(0);
  }
}
