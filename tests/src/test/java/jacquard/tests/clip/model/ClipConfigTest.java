package jacquard.tests.clip.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.model.BlockConfig;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.HubConfig;
import jacquard.clip.model.Presets;
import jacquard.clip.model.resnet.ResNetConfig;
import jacquard.clip.model.text.ClipTextConfig;
import jacquard.clip.model.vit.VitConfig;
import jacquard.clip.settings.Json;
import jacquard.tensor.Grid;
import jacquard.tests.clip.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClipConfigTest {
  /// What was built once stays built.
  @Test void everyRecordedModelReads() throws IOException {
    try (var cases = Files.list(Fixtures.file("models"))) {
      var all = cases.toList();
      for (var c : all) {
        assertEquals("", read(c.resolve("config.json")).unsupported().orElse(""), c.toString());
      }
      assertTrue(all.size() >= 43);
    }
  }

  private static ClipConfig read(Path file) {
    try {
      var config = ClipConfig.read(file);
      assertEquals(config, ClipConfig.parse(config.toJson()), file.toString());
      return config;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test void defaultsAreThoseOfOpenClip() {
    var config = ClipConfig.parse("{\"embed_dim\": 512, \"vision_cfg\": {}, \"text_cfg\": {}}");
    var vision = image(config);
    assertEquals(List.of(12, 768, 12, 3072, 14),
        List.of(vision.layers(), vision.width(), vision.heads(), vision.mlpWidth(),
        vision.grid().height()));
    var text = text(config);
    assertEquals(List.of(77, 49408, 512, 8, 12),
        List.of(text.context(), text.vocabulary(), text.width(), text.heads(), text.layers()));
    assertEquals(2.659260036932778, config.logitScale(), 1e-15);
    assertEquals(1e-5, vision.options().norm().eps());
    assertTrue(text.causal());
    assertFalse(config.custom());
  }

  private static VitConfig image(ClipConfig config) { return (VitConfig) config.vision(); }

  private static ClipTextConfig text(ClipConfig config) { return (ClipTextConfig) config.text(); }

  @Test void optionsAreTyped() throws IOException {
    var rect = image(ClipConfig.read(Fixtures.file("models/vit_rect_patch_7/config.json")));
    assertEquals(new Grid(28, 42), rect.input());
    assertEquals(new Grid(4, 6), rect.grid());
    var resnet = (ResNetConfig) ClipConfig.read(Fixtures.file("models/resnet/config.json")).vision();
    assertTrue(resnet.patchSize().isEmpty());
    assertEquals(List.of(1, 2, 1, 1), resnet.layers());
    assertEquals(4, resnet.heads());
    var tanh = ClipConfig.read(Fixtures.file("models/vit_tanh_gelu/config.json"));
    assertTrue(image(tanh).tanhGelu() && text(tanh).tanhGelu());
    assertEquals(1e-3, text(ClipConfig.read(Fixtures.file("models/vit_norm_eps/config.json"))).options().norm().eps());
    // 80 · 4.3637 = 349.096
    assertEquals(349, image(ClipConfig.read(Fixtures.file("models/vit_heads_of_20/config.json"))).mlpWidth());
    assertEquals(0.2, text(ClipConfig.read(Fixtures.file("models/vit_layerscale/config.json"))).options().layerScale()
        .orElseThrow());
    assertEquals(VitConfig.PositionEmbedding.SIN_COS_2D,
        image(ClipConfig.read(Fixtures.file("models/vit_sincos/config.json"))).positionEmbedding());
    assertEquals(150, text(ClipConfig.read(Fixtures.file("models/text_eos/config.json"))).eosId().orElseThrow());
    var clipa = ClipConfig.read(Fixtures.file("models/clipa/config.json"));
    assertEquals(VitConfig.Pool.AVERAGE, image(clipa).pool());
    assertEquals(ClipTextConfig.Pool.LAST, text(clipa).pool());
    var custom = ClipConfig.read(Fixtures.file("models/vit_cosine_attention/config.json"));
    assertTrue(image(custom).options().custom() && image(custom).options().cosine());
    assertFalse(BlockConfig.DEFAULTS.custom());
    var scale = ClipConfig.read(Fixtures.file("models/scale_and_bias/config.json"));
    assertEquals(-10, scale.logitBias().orElseThrow());
    assertTrue(scale.nonscalar());
  }

  @Test void unknownKeyNamesTheNearestAndTheKnown(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("mine.json");
    Files.writeString(file, "{\"embed_dim\": 512, \"vision_cfg\": {\"widht\": 64}, \"text_cfg\": {}}");
    says(() -> ClipConfig.read(file), file.toString(), "unknown key vision_cfg.widht", "Did you mean width?",
        "head_width",
        "timm_model_name", "qk_norm");
    says(() -> ClipConfig.parse("{\"embed_dim\": 512, \"visoin_cfg\": {}}"), "visoin_cfg", "Did you mean vision_cfg?",
        "nonscalar_logit_scale");
    says(() -> ClipConfig.parse("{\"embed_dim\": 512, \"text_cfg\": {\"norm_kwargs\": {\"epsilon\": 1}}}"),
        "text_cfg.norm_kwargs.epsilon",
        "eps");
  }

  @Test void wrongTypeNamesFileKeyValueAndExpected(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("mine.json");
    Files.writeString(file, "{\"embed_dim\": 512, \"vision_cfg\": {\"width\": \"wide\"}}");
    says(() -> ClipConfig.read(file), file.toString(), "vision_cfg.width is \"wide\", expected a whole number");
    wrong("\"embed_dim\": 1.5", "embed_dim is 1.5, expected a whole number");
    wrong("\"vision_cfg\": 3", "vision_cfg is 3, expected a section");
    wrong("\"vision_cfg\": {\"image_size\": [224]}",
        "vision_cfg.image_size is [224], expected a side in pixels or [height, width]");
    wrong("\"vision_cfg\": {\"layers\": [1, 2, 3]}",
        "vision_cfg.layers is [1, 2, 3], expected a number of blocks, or a list of four");
    wrong("\"vision_cfg\": {\"pool_type\": \"max\"}", "vision_cfg.pool_type is \"max\", expected tok, avg or none");
    wrong("\"text_cfg\": {\"pool_type\": \"max\"}", "text_cfg.pool_type is \"max\", expected one of argmax, first");
    wrong("\"text_cfg\": {\"heads\": null}", "text_cfg.heads is null, expected a whole number");
    wrong("\"quick_gelu\": \"yes\"", "quick_gelu is \"yes\", expected true or false");
    wrong("\"vision_cfg\": {\"width\": 0}", "vision_cfg.width is 0, expected at least 1");
    wrong("\"vision_cfg\": {\"width\": 100, \"head_width\": 33}", "vision_cfg.head_width is 33");
    wrong("\"vision_cfg\": {\"patch_size\": 225}",
        "vision_cfg.patch_size is 225, expected a side within the image of 224");
    wrong("\"vision_cfg\": {\"patch_size\": null}", "vision_cfg.patch_size is null");
    wrong("\"text_cfg\": {\"heads\": 7}", "text_cfg.heads is 7, expected a divisor of the width 512");
    wrong("\"text_cfg\": {\"pool_type\": \"eos\"}", "eos_id is missing");
    wrong("\"text_cfg\": {\"attn_gated\": true}", "attn_gated");
    says(() -> ClipConfig.parse("{\"vision_cfg\": {}}"), "embed_dim is missing");
    says(() -> ClipConfig.parse("{\"embed_dim\": 1, \"embed_dim\": 2}"), "Duplicate");
    says(() -> ClipConfig.parse("[1]"), "expected a JSON object");
    Path broken = folder.resolve("broken.json");
    Files.writeString(broken, "{\"embed_dim\": ");
    assertTrue(assertThrows(IOException.class, () -> ClipConfig.read(broken)).getMessage().contains(broken.toString()));
  }

  private static void wrong(String json, String message) {
    says(() -> ClipConfig.parse("{" + (json.startsWith("\"embed_dim") ? "" : "\"embed_dim\": 512, ") + json + "}"),
        message);
  }

  private static void says(org.junit.jupiter.api.function.Executable run, String... parts) {
    String message = assertThrows(IllegalArgumentException.class, run).getMessage();
    for (String part : parts) assertTrue(message.contains(part), () -> message + "\n  lacks: " + part);
  }

  @Test void overridesAreAppliedTogether() {
    var base = Presets.of("ViT-B-32");
    var small = base.with("vision_cfg.width=130", "vision_cfg.head_width=26", "vision_cfg.image_size=[64, 96]",
        "text_cfg.pool_type=last",
        "vision_cfg.ls_init_value=1e-4", "text_cfg.norm_kwargs.eps=1e-6", "quick_gelu=true", "text_cfg.tokenizer_kwargs.clean=lower",
        "vision_cfg.attentional_pool=true");
    assertEquals(5, image(small).heads());
    assertEquals(new Grid(64, 96), small.vision().input());
    assertEquals(ClipTextConfig.Pool.LAST, text(small).pool());
    assertEquals(1e-4, image(small).options().layerScale().orElseThrow());
    assertEquals(1e-6, text(small).options().norm().eps());
    assertEquals(Map.of("clean", "lower"), small.text().input().options());
    assertTrue(small.quickGelu());
    assertEquals(32, base.override("embed_dim", "32").embedding());
    assertEquals(base, small.with("vision_cfg.width=768", "vision_cfg.head_width=64", "vision_cfg.image_size=224",
        "text_cfg.pool_type=argmax",
        "vision_cfg.ls_init_value=null", "text_cfg.norm_kwargs.eps=1e-5", "quick_gelu=false", "text_cfg.tokenizer_kwargs=null",
        "vision_cfg.attentional_pool=false"));
    assertEquals("7", base.with("text_cfg.hf_tokenizer_name=7").text().input().tokenizer());
  }

  @Test void wrongOverridesSayWhatIsKnown() {
    var base = Presets.of("ViT-B-32");
    says(() -> base.with("vision_cfg.widht=1"), "vision_cfg.widht", "Did you mean width?", "patch_size");
    says(() -> base.with("vision.width=1"), "unknown key vision", "vision_cfg");
    says(() -> base.with("vision_cfg.width=wide"), "vision_cfg.width is \"wide\", expected a whole number");
    says(() -> base.with("embed_dim.x=1"), "embed_dim is 512, not a section");
    says(() -> base.with("embed_dim"), "expected path=value");
    says(() -> Presets.of("ViT-B32"), "no model \"ViT-B32\"", "ViT-B-32");
    says(() -> Presets.pretrained("ViT-B-32", "opnai"), "openai");
  }

  @Test void contradictionsAreUnsupported() {
    var base = Presets.of("ViT-B-32");
    for (String[] c : new String[][] {{"vision_cfg.attentional_pool=parallel", "OpenCLIP"},
        {"text_cfg.pool_type=none", "feature"},
        {"text_cfg.embed_cls=true", "custom_text"}, {"text_cfg.variable_text=true", "variable length"}, {"vision_cfg.output_tokens=true",
            "CoCa"}})
      assertTrue(base.with(c[0]).unsupported().orElse("").contains(c[1]), Arrays.toString(c));
    assertTrue(base.with("quick_gelu=true", "text_cfg.act_kwargs.approximate=tanh").unsupported().isPresent());
    assertTrue(base.unsupported().isEmpty());
  }

  /// A family knows its own keys alone; another key would be without effect.
  @Test void keysOfAnotherFamilyAreErrors() {
    var timm = Presets.of("ViT-B-16-SigLIP");
    says(() -> timm.with("vision_cfg.width=128"), "unknown key vision_cfg.width", "timm_model_kwargs");
    says(() -> Presets.of("RN50").with("vision_cfg.timm_pool=map"), "unknown key vision_cfg.timm_pool",
        "timm_model_name");
    says(() -> Presets.of("ViT-B-32").with("text_cfg.hf_pooler_type=mean_pooler"), "text_cfg.hf_pooler_type",
        "hf_model_name");
    assertEquals(new Grid(224, 224), timm.vision().input());
    assertEquals("ResNet", Presets.of("ViT-B-32").with("vision_cfg.layers=[1, 1, 1, 1]", "vision_cfg.width=32")
        .family());
  }

  @Test void hubConfig() throws IOException {
    var hub = HubConfig.read(Fixtures.file("checkpoints/hub/open_clip_config.json"));
    assertEquals(ClipConfig.read(Fixtures.file("checkpoints/config.json")), hub.model());
    assertEquals(hub.model(), ClipConfig.read(Fixtures.file("checkpoints/hub/open_clip_config.json")));
    assertEquals(List.of(0.5f, 0.5f, 0.5f), hub.preprocess().mean());
    assertEquals(32, hub.preprocess().height());
    assertEquals(PreprocessConfig.ResizeMode.SQUASH, hub.preprocess().resizeMode());
    var written = Fixtures.JSON.readTree(hub.toJson()).get("preprocess_cfg");
    var recorded = Fixtures.JSON.readTree(Fixtures.file("checkpoints/hub/open_clip_config.json").toFile())
        .get("preprocess_cfg");
    for (var given : recorded.properties()) assertEquals(given.getValue(), written.get(given.getKey()), given.getKey());
    assertEquals(hub, HubConfig.of(Json.object(hub.toJson(), "again"), "again"));
    Map<String, Object> model = Map.of("embed_dim", 8);
    says(() -> HubConfig.of(Map.of("preprocess_cfg", Map.of()), "x.json"), "x.json", "model_cfg is missing");
    says(() -> HubConfig.of(Map.of("model_cfg", model, "extra", 1), "x.json"), "x.json", "unknown key extra");
    says(() -> HubConfig.of(Map.of("model_cfg", model, "preprocess_cfg", Map.of("std", List.of(1, 1))), "x.json"),
        "x.json", "std");
  }
}
