package jacquard.clip.model.timm.naflex;

import jacquard.clip.model.BlockConfig;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.vit.VitConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// OpenCLIP's own ViT as a NaFlex tower (`--force-naflex-vision`).
public final class Forced {
  private Forced() {}

  /// The config whose image tower takes pictures of any size; one that does already stays as it is.
  ///
  /// @throws IllegalArgumentException saying what the tower has that a NaFlex one has not
  public static ClipConfig of(ClipConfig clip) {
    if (clip.vision() instanceof TimmConfig t && Architecture.known(t)) return clip;
    if (!(clip.vision() instanceof VitConfig v))
      throw new IllegalArgumentException("--force-naflex-vision: the image tower is " + clip.family()
          + ", expected OpenCLIP's own ViT, or a NaFlex one");
    if (v.attentionalPool() || v.pool() != VitConfig.Pool.TOKEN || v.noPreNorm() || v.finalNormAfterPool()
        || v.outputTokens() || v.sinCos() || v.options().custom() || v.tanhGelu()
        || !v.options().norm().equals(BlockConfig.DEFAULTS.norm()))
      throw new IllegalArgumentException("--force-naflex-vision: the ViT has options beside OpenAI's, which a NaFlex "
          + "tower has not");
    var kwargs = new LinkedHashMap<String, Object>();
    kwargs.put("img_size", v.size().json());
    kwargs.put("use_naflex", true);
    kwargs.put("patch_size", v.patch());
    kwargs.put("embed_dim", v.width());
    kwargs.put("depth", v.layers());
    kwargs.put("num_heads", v.heads());
    kwargs.put("mlp_ratio", v.mlpRatio());
    kwargs.putAll(Map.of("class_token", true, "reg_tokens", 0, "global_pool", "token", "pool_include_prefix", false));
    kwargs.put("pos_embed", "learned");
    kwargs.put("pos_embed_grid_size", List.of(v.grid().height(), v.grid().width()));
    kwargs.putAll(Map.of("pre_norm", true, "final_norm", true, "fc_norm", false, "embed_proj_type", "linear"));
    kwargs.putAll(Map.of("enable_patch_interpolator", true, "qkv_bias", true, "proj_bias", true));
    if (clip.quickGelu()) kwargs.put("act_layer", "quick_gelu");
    if (v.layerScale() > 0) kwargs.put("init_values", v.layerScale());
    var vision = new LinkedHashMap<String, Object>();
    vision.put("image_size", v.size().json());
    vision.put("patch_dropout", v.patchDropout());
    vision.put("timm_model_name", Architecture.FORCED);
    vision.put("timm_pool", "token");
    vision.put("timm_proj", "linear");
    vision.put("timm_model_kwargs", kwargs);
    var json = new LinkedHashMap<>(clip.toMap());
    json.put("vision_cfg", vision);
    return ClipConfig.of(json, "--force-naflex-vision");
  }
}
