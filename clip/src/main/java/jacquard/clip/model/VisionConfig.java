package jacquard.clip.model;

import com.fasterxml.jackson.databind.JsonNode;
import jacquard.tensor.Grid;
import java.util.List;

/// The image tower, with OpenCLIP's names and defaults (`vision_cfg`).
///
/// @param layers one number: a transformer of so many blocks; four: a ModifiedResNet's stages
/// @param image  height and width in pixels
public record VisionConfig(List<Integer> layers, int width, int headWidth, double mlpRatio, int patch, Grid image, double layerScale, double patchDropout,
                           boolean attentionalPool, int poolerQueries, int poolerHeads, boolean noPreNorm, boolean sinCos, boolean finalNormAfterPool,
                           String pool, boolean tanhGelu, float epsilon, Options options, String unsupported) {

  /// The custom block's switches.
  public record Options(boolean queryKeyNorm, boolean cosine, boolean scaleHeads, boolean innerNorm, boolean attentionNorm, boolean mlpNorm) {
    static Options of(Json j) {
      j.text("block_type", "default", "default", "custom");
      return new Options(j.flag("qk_norm"), j.flag("scaled_cosine_attn"), j.flag("scale_heads"), j.flag("scale_attn_inner"), j.flag("scale_attn"), j.flag("scale_fc"));
    }
  }

  static VisionConfig of(JsonNode node) {
    var j = new Json(node, "vision_cfg");
    if (j.has("timm_model_name")) return unsupported("timm tower " + j.raw("timm_model_name").asText());
    var size = j.integers("image_size", List.of(224));
    var pooling = j.raw("attentional_pool");
    if (pooling != null && pooling.isTextual()) return unsupported("attentional_pool " + pooling + " (OpenCLIP itself cannot run it)");
    j.integer("in_chans", 3);
    j.flag("output_tokens");
    var c = new VisionConfig(j.integers("layers", List.of(12)), j.integer("width", 768), j.integer("head_width", 64), j.number("mlp_ratio", 4),
        j.integer("patch_size", 16), new Grid(size.getFirst(), size.getLast()), j.number("ls_init_value", 0), j.number("patch_dropout", 0),
        j.flag("attentional_pool"), j.integer("attn_pooler_queries", 256), j.integer("attn_pooler_heads", 8), j.flag("no_ln_pre"),
        j.text("pos_embed_type", "learnable", "learnable", "sin_cos_2d").equals("sin_cos_2d"), j.flag("final_ln_after_pool"),
        j.text("pool_type", "tok", "tok", "avg", "none"), tanh(j), epsilon(j), Options.of(j), null);
    j.done();
    return c;
  }

  static boolean tanh(Json j) {
    if (!j.has("act_kwargs")) return false;
    var k = new Json(j.raw("act_kwargs"), "act_kwargs");
    boolean tanh = k.text("approximate", "none", "none", "tanh").equals("tanh");
    k.done();
    return tanh;
  }

  static float epsilon(Json j) {
    if (!j.has("norm_kwargs")) return 1e-5f;
    var k = new Json(j.raw("norm_kwargs"), "norm_kwargs");
    double e = k.number("eps", 1e-5);
    k.done();
    return (float) e;
  }

  private static VisionConfig unsupported(String why) {
    return new VisionConfig(List.of(0), 0, 1, 0, 0, Grid.of(0), 0, 0, false, 0, 0, false, false, false, "tok", false, 0, null, why);
  }

  public boolean resnet() { return layers.size() == 4; }
  public int heads() { return resnet() ? width * 32 / headWidth : width / headWidth; }
  /// Patches; remainder pixels are dropped.
  public Grid grid() { return new Grid(image.height() / patch, image.width() / patch); }
}
