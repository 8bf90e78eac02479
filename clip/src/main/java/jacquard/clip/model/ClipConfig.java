package jacquard.clip.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.tensor.op.Activation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// A model as OpenCLIP describes it: what its `model_configs/*.json` and `open_clip_config.json` hold.
///
/// @param json as it was read, for writing it back beside weights
public record ClipConfig(int embedding, VisionConfig vision, TextConfig text, boolean quickGelu, double logitScale, Double logitBias, boolean nonscalar,
                         boolean custom, String reason, JsonNode json) {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static ClipConfig read(Path file) throws IOException {
    try { return parse(Files.readString(file)); }
    catch (IllegalArgumentException | com.fasterxml.jackson.core.JsonProcessingException e) { throw new IOException(file + ": " + e.getMessage(), e); }
  }

  /// From JSON text; a hub's `open_clip_config.json` gives its `model_cfg`.
  public static ClipConfig parse(String text) throws IOException {
    var node = JSON.readTree(text);
    return of(node.has("model_cfg") ? node.get("model_cfg") : node);
  }

  public static ClipConfig of(JsonNode node) {
    var j = new Json(node, "model");
    for (var k : new String[] {"multimodal_cfg", "audio_cfg", "genlip_cfg", "genlap_cfg"}) if (j.has(k)) return unsupported(k, node);
    if (!j.has("vision_cfg") || !j.has("text_cfg")) throw new IllegalArgumentException("model: vision_cfg and text_cfg are needed, found " + node.properties().stream().map(java.util.Map.Entry::getKey).toList());
    var vision = VisionConfig.of(j.raw("vision_cfg"));
    var text = TextConfig.of(j.raw("text_cfg"));
    var c = new ClipConfig(j.integer("embed_dim", 0), vision, text, j.flag("quick_gelu"), j.number("init_logit_scale", Math.log(1 / 0.07)),
        j.has("init_logit_bias") ? j.number("init_logit_bias", 0) : null, j.flag("nonscalar_logit_scale"), custom(j), vision.unsupported() != null ? vision.unsupported() : text.unsupported(), node);
    j.raw("multimodal_cfg");
    if (c.reason == null) {
      j.done();
      if (c.embedding <= 0) throw new IllegalArgumentException("model.embed_dim is " + c.embedding + ", expected a positive number");
    }
    return c;
  }

  private static boolean custom(Json j) {
    var v = j.raw("custom_text");
    return v != null && v.asBoolean();
  }

  private static ClipConfig unsupported(String why, JsonNode node) { return new ClipConfig(0, null, null, false, 0, null, false, false, why, node); }

  /// Why this model cannot be built here yet, or empty.
  public Optional<String> unsupported() { return Optional.ofNullable(reason); }

  Activation activation(boolean tanh) { return quickGelu ? Activation.QUICK_GELU : tanh ? Activation.GELU_TANH : Activation.GELU; }
}
