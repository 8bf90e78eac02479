package jacquard.clip.checkpoint.names;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.image.Interpolation;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.clip.model.text.ClipTextConfig;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.timm.vit.TimmVit;
import jacquard.clip.model.vit.VitConfig;
import jacquard.clip.settings.Json;
import jacquard.tensor.op.Activation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What transformers' `config.json` says of a CLIP or SigLIP, as OpenCLIP would say it, and back. An option that is not
/// written there has transformers' default.
public final class TransformersConfig {
  private static final Set<String> KINDS = Set.of("clip", "siglip", "siglip2");

  private TransformersConfig() {}

  /// Whether a `config.json` is transformers'.
  public static boolean is(Map<String, ?> json) { return json.containsKey("model_type"); }

  /// The model of a folder, with `preprocessor_config.json` where it is there.
  ///
  /// @throws IOException naming the file and what is not known
  public static HubConfig read(Path file) throws IOException {
    var json = Json.read(file);
    var kind = String.valueOf(json.get("model_type"));
    if (!KINDS.contains(kind))
      throw new IOException(file + ": model_type is \"" + kind + "\", expected clip, siglip or siglip2");
    boolean siglip = !kind.equals("clip");
    ClipConfig model;
    try { model = ClipConfig.of(siglip ? siglip(json, kind.equals("siglip2"), file) : clip(json, file),
        file.toString()); }
    catch (IllegalArgumentException e) {
      throw new IOException(file + ": as a model of OpenCLIP: " + e.getMessage(), e);
    }
    var preprocess = HubConfig.preprocess(model);
    if (siglip)
      preprocess = preprocess.normalised(PreprocessConfig.INCEPTION_MEAN, PreprocessConfig.INCEPTION_STD)
          .resized(preprocess.interpolation(), PreprocessConfig.ResizeMode.SQUASH);
    var beside = file.resolveSibling("preprocessor_config.json");
    return new HubConfig(model, Files.exists(beside) ? preprocess(preprocess, Json.read(beside)) : preprocess);
  }

  private static Map<String, Object> clip(Map<String, Object> json, Path file) throws IOException {
    var text = section(json, "text_config");
    var vision = section(json, "vision_config");
    boolean quick = activation(text, "quick_gelu", file).equals("quick_gelu");
    if (quick != activation(vision, "quick_gelu", file).equals("quick_gelu"))
      throw new IOException(file + ": hidden_act differs between the towers, expected the same");
    int width = whole(vision, "hidden_size", 768, file), vocabulary = whole(text, "vocab_size", 49408, file), eos =
        whole(text, "eos_token_id", 49407, file);
    var v = new LinkedHashMap<String, Object>();
    v.put("image_size", whole(vision, "image_size", 224, file));
    v.put("layers", whole(vision, "num_hidden_layers", 12, file));
    v.put("width", width);
    v.put("patch_size", whole(vision, "patch_size", 32, file));
    v.put("head_width", width / Math.max(1, whole(vision, "num_attention_heads", 12, file)));
    v.put("mlp_ratio", ratio(vision, width, 3072, file));
    v.put("norm_kwargs", Map.of("eps", number(vision, "layer_norm_eps", 1e-5)));
    var t = text(text, new Standard(512, 8, 2048, 77, 1e-5), vocabulary, file);
    // The first models say 2, and mean the largest id.
    if (eos != 2 && eos != vocabulary - 1) { t.put("pool_type", "eos"); t.put("eos_id", eos); }
    var r = new LinkedHashMap<String, Object>();
    r.put("embed_dim", whole(json, "projection_dim", 512, file));
    r.put("quick_gelu", quick);
    r.put("vision_cfg", v);
    r.put("text_cfg", t);
    return r;
  }

  /// @param flexible whether it is SigLIP 2's model for pictures of any size (NaFlex)
  private static Map<String, Object> siglip(Map<String, Object> json, boolean flexible, Path file) throws IOException {
    var text = section(json, "text_config");
    var vision = section(json, "vision_config");
    int width = whole(vision, "hidden_size", 768, file), patch = whole(vision, "patch_size", 16, file);
    int places = whole(vision, "num_patches", 256, file), side = (int) Math.sqrt(places);
    int image = flexible ? side * patch : whole(vision, "image_size", 224, file);
    if (Boolean.FALSE.equals(vision.get("vision_use_head")))
      throw new IOException(file + ": vision_use_head is false, expected a model with features");
    double eps = number(vision, "layer_norm_eps", 1e-6);
    if (eps != 1e-6) throw new IOException(file + ": vision_config.layer_norm_eps is " + eps + ", expected 1e-6");
    boolean tanh = !activation(vision, "gelu_pytorch_tanh", file).equals("gelu");
    if (flexible && (!tanh || side * side != places))
      throw new IOException(file + ": vision_config has "
          + (tanh ? "num_patches " + places + ", expected a square number"
          : "hidden_act gelu, expected gelu_pytorch_tanh"));
    var kwargs = new LinkedHashMap<String, Object>();
    if (!flexible) kwargs.put("img_size", image);
    kwargs.put("embed_dim", width);
    kwargs.put("depth", whole(vision, "num_hidden_layers", 12, file));
    kwargs.put("num_heads", whole(vision, "num_attention_heads", 12, file));
    kwargs.put("patch_size", patch);
    kwargs.put("mlp_ratio", ratio(vision, width, 3072, file));
    var v = new LinkedHashMap<String, Object>();
    v.put("image_size", image);
    // of timm's, the first has the tanh form of GELU, the second the other
    v.put("timm_model_name", flexible ? "naflexvit_base_patch16_siglip"
        : tanh ? "vit_base_patch32_siglip_256" : "vit_base_patch16_siglip_224");
    if (flexible) {
      kwargs.put("pos_embed_grid_size", List.of(side, side));
      v.put("image_seq_len", room(file, places));
    }
    v.put("timm_model_pretrained", false);
    v.put("timm_pool", "map");
    v.put("timm_proj", "none");
    v.put("timm_model_kwargs", kwargs);
    var t = text(text, new Standard(768, 12, 3072, 64, 1e-6), whole(text, "vocab_size", 32000, file), file);
    t.put("no_causal_mask", true);
    t.put("proj_bias", true);
    t.put("pool_type", "last");
    if (!activation(text, "gelu_pytorch_tanh", file).equals("gelu")) t.put("act_kwargs", Map.of("approximate", "tanh"));
    t.put("hf_tokenizer_name", file.toAbsolutePath().getParent().getFileName().toString());
    t.put("tokenizer_kwargs", Map.of("clean", "canonicalize"));
    var r = new LinkedHashMap<String, Object>();
    r.put("embed_dim", width);
    r.put("init_logit_bias", -10);
    r.put("custom_text", true);
    r.put("vision_cfg", v);
    r.put("text_cfg", t);
    return r;
  }

  /// The patches that a picture may have, of the file beside the config; else as many as there are places.
  private static int room(Path file, int places) throws IOException {
    var beside = file.resolveSibling("preprocessor_config.json");
    return Files.exists(beside) ? whole(Json.read(beside), "max_num_patches", places, beside) : places;
  }

  /// What a text tower is where its config is silent.
  private record Standard(int width, int heads, int hidden, int context, double epsilon) {}

  private static Map<String, Object> text(Map<String, Object> text, Standard standard, int vocabulary, Path file)
      throws IOException {
    int width = whole(text, "hidden_size", standard.width, file);
    var t = new LinkedHashMap<String, Object>();
    t.put("context_length", whole(text, "max_position_embeddings", standard.context, file));
    t.put("vocab_size", vocabulary);
    t.put("width", width);
    t.put("heads", whole(text, "num_attention_heads", standard.heads, file));
    t.put("layers", whole(text, "num_hidden_layers", 12, file));
    t.put("mlp_ratio", ratio(text, width, standard.hidden, file));
    t.put("norm_kwargs", Map.of("eps", number(text, "layer_norm_eps", standard.epsilon)));
    return t;
  }

  /// A ratio whose product with the width, cut to a whole number, is the width of the MLP.
  private static double ratio(Map<String, Object> section, int width, int standard, Path file) throws IOException {
    int hidden = whole(section, "intermediate_size", standard, file);
    double ratio = hidden / (double) width;
    return (int) (width * ratio) == hidden ? ratio : (hidden + 0.5) / width;
  }

  private static String activation(Map<String, Object> section, String standard, Path file) throws IOException {
    var a = section.getOrDefault("hidden_act", standard);
    if (a instanceof String s && List.of("quick_gelu", "gelu", "gelu_pytorch_tanh").contains(s)) return s;
    throw new IOException(file + ": hidden_act is " + a + ", expected quick_gelu, gelu or gelu_pytorch_tanh");
  }

  @SuppressWarnings("unchecked") private static Map<String, Object> section(Map<String, Object> json, String name) {
    return json.get(name) instanceof Map<?, ?> m ? (Map<String, Object>) m : Map.of();
  }

  private static int whole(Map<String, Object> section, String name, int standard, Path file) throws IOException {
    var v = section.get(name);
    if (v == null) return standard;
    if (v instanceof Integer n && n >= 0) return n;
    throw new IOException(file + ": " + name + " is " + v + ", expected a whole number from 0");
  }

  private static double number(Map<String, Object> section, String name, double standard) {
    return section.get(name) instanceof Number n ? n.doubleValue() : standard;
  }

  private static PreprocessConfig preprocess(PreprocessConfig p, Map<String, Object> json) {
    var over = new LinkedHashMap<String, Object>();
    if (json.get("image_mean") != null) over.put("mean", json.get("image_mean"));
    if (json.get("image_std") != null) over.put("std", json.get("image_std"));
    if (json.get("resample") instanceof Integer n) over.put("interpolation", n == 2 ? "bilinear" : "bicubic");
    if (json.get("do_center_crop") == Boolean.FALSE) over.put("resize_mode", "squash");
    return p.with(Json.tree(over));
  }

  /// `config.json` of a model whose tensors have names there (see [HuggingFace#write]).
  ///
  /// @throws IllegalArgumentException if transformers' CLIP and SigLIP have not an option of it
  public static Map<String, Object> write(HubConfig hub) {
    var model = hub.model();
    if (!(model.text() instanceof ClipTextConfig text)) throw none("its text tower is " + model.family());
    return switch (model.vision()) {
      case VitConfig vision -> clip(model, vision, text);
      case TimmConfig vision when ClipModel.describe(model).visual() instanceof TimmVit tower
          && vision.timm().pool().equals("map") && vision.input().height() == vision.input().width() ->
          siglip(model, tower, text);
      default -> throw none("its image tower is " + model.family());
    };
  }

  private static IllegalArgumentException none(String why) {
    return new IllegalArgumentException("transformers' CLIP and SigLIP have no such model: " + why);
  }

  private static Map<String, Object> clip(ClipConfig model, VitConfig v, ClipTextConfig t) {
    if (v.options().custom() || t.options().custom() || v.options().tanhGelu() || t.options().tanhGelu()
        || v.options().layerScale().isPresent() || t.options().layerScale().isPresent() || v.attentionalPool()
        || v.noPreNorm() || v.sinCos() || v.finalNormAfterPool()
        || v.pool() != VitConfig.Pool.TOKEN || t.noCausalMask() || t.classToken() || t.projectionBias()
        || !t.projected() || t.finalNormAfterPool() || t.pool() != ClipTextConfig.Pool.ARGMAX
        && t.pool() != ClipTextConfig.Pool.EOS || model.logitBias().isPresent()
        || v.input().height() != v.input().width()) throw none("it has options beside OpenAI's");
    var act = model.quickGelu() ? "quick_gelu" : "gelu";
    int eos = t.eosId().orElse(t.vocabulary() - 1);
    var text = tower("clip_text_model", act, t.width(), t.heads(), t.layers());
    text.putAll(Map.of("intermediate_size", t.mlpWidth(), "layer_norm_eps", t.options().norm().eps(),
        "max_position_embeddings", t.context(), "vocab_size", t.vocabulary(), "bos_token_id", Math.max(0, eos - 1),
        "eos_token_id", eos, "pad_token_id", t.pad(), "projection_dim", model.embedding()));
    var vision = tower("clip_vision_model", act, v.width(), v.heads(), v.layers());
    vision.putAll(Map.of("intermediate_size", v.mlpWidth(), "layer_norm_eps", v.options().norm().eps(), "image_size",
        v.input().width(), "patch_size", v.patch(), "num_channels", 3, "projection_dim", model.embedding()));
    var r = whole("CLIPModel", "clip", text, vision);
    r.put("projection_dim", model.embedding());
    return r;
  }

  private static Map<String, Object> siglip(ClipConfig model, TimmVit v, ClipTextConfig t) {
    if (!t.noCausalMask() || !t.projectionBias() || t.pool() != ClipTextConfig.Pool.LAST || t.options().custom()
        || t.classToken() || model.logitBias().isEmpty())
      throw none("its text tower is not SigLIP's");
    var groups = HuggingFace.layers(Checkpoint.shapes(ClipModel.describe(model)).keySet(), "visual.trunk.blocks.");
    int width = model.embedding(), patch = Checkpoint.shapes(ClipModel.describe(model))
        .get("visual.trunk.patch_embed.proj.weight").dim(3);
    var text = tower("siglip_text_model", t.tanhGelu() ? "gelu_pytorch_tanh" : "gelu", t.width(), t.heads(),
        t.layers());
    text.putAll(Map.of("intermediate_size", t.mlpWidth(), "layer_norm_eps", t.options().norm().eps(),
        "max_position_embeddings", t.context(), "vocab_size", t.vocabulary(), "projection_size", width,
        "eos_token_id", 1, "pad_token_id", 1));
    var vision = tower("siglip_vision_model", v.activation() == Activation.GELU_TANH ? "gelu_pytorch_tanh" : "gelu",
        width, v.heads(), groups);
    vision.putAll(Map.of("intermediate_size", v.hidden(), "layer_norm_eps", 1e-6, "image_size", v.input().width(),
        "patch_size", patch, "num_channels", 3, "vision_use_head", true));
    return whole("SiglipModel", "siglip", text, vision);
  }

  private static Map<String, Object> tower(String kind, String activation, int width, int heads, int layers) {
    var r = new LinkedHashMap<String, Object>();
    r.put("model_type", kind);
    r.put("hidden_act", activation);
    r.put("hidden_size", width);
    r.put("num_attention_heads", heads);
    r.put("num_hidden_layers", layers);
    return r;
  }

  private static Map<String, Object> whole(String kind, String type, Map<String, Object> text,
      Map<String, Object> vision) {
    var r = new LinkedHashMap<String, Object>();
    r.put("architectures", List.of(kind));
    r.put("model_type", type);
    r.put("text_config", text);
    r.put("vision_config", vision);
    return r;
  }

  /// `preprocessor_config.json`.
  public static Map<String, Object> preprocessor(HubConfig hub) {
    var p = hub.preprocess();
    boolean cut = p.resizeMode() == PreprocessConfig.ResizeMode.SHORTEST;
    var size = Map.of("height", p.height(), "width", p.width());
    var r = new LinkedHashMap<String, Object>();
    r.put("image_processor_type", cut ? "CLIPImageProcessor" : "SiglipImageProcessor");
    r.put("do_resize", true);
    r.put("size", cut ? Map.of("shortest_edge", Math.min(p.height(), p.width())) : size);
    r.put("resample", p.interpolation() == Interpolation.BILINEAR ? 2 : 3);
    r.put("do_center_crop", cut);
    r.put("crop_size", size);
    r.put("do_rescale", true);
    r.put("rescale_factor", 1 / 255.0);
    r.put("do_normalize", true);
    r.put("image_mean", p.json().get("mean"));
    r.put("image_std", p.json().get("std"));
    return r;
  }
}
