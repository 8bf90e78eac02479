package jacquard.tests.clip.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Weights that do not fit a model, and those of an image tower alone.
class UnfittingWeightsTest {
  private static final String CONFIG = """
      {"embed_dim": 16, "vision_cfg": {"timm_model_name": "vit_base_patch16_siglip_224", "image_size": 32,
        "timm_pool": "map", "timm_proj": "linear", "timm_model_kwargs": {"img_size": 32, "patch_size": 8,
        "embed_dim": 16, "depth": 1, "num_heads": 2}},
       "text_cfg": {"context_length": 8, "vocab_size": 300, "width": 16, "heads": 2, "layers": 1}}""";

  @TempDir Path folder;

  private static ClipModel model(long seed, String... changes) {
    return ClipModel.create(ClipConfig.parse(CONFIG).with(changes), seed);
  }

  /// The first five differences, by tensor: other shapes and missing tensors in the model's order, then tensors too
  /// many.
  @Test void theFirstFiveDifferencesAreTold() throws IOException {
    var file = folder.resolve("model.safetensors");
    try (var _ = Scope.open(Device.best())) {
      var m = model(1);
      var tensors = new LinkedHashMap<>(Checkpoint.arrays(m, Parameters.of(m).all()));
      tensors.remove("visual.trunk.norm.bias");
      tensors.put("visual.trunk.extra", tensors.get("visual.trunk.norm.weight"));
      Safetensors.write(file, tensors, Map.of());
      var e = assertThrows(IOException.class, () -> Checkpoint.load(ClipConfig.parse(CONFIG), file));
      assertEquals(file + " does not fit the model: visual.trunk.norm.bias is missing; visual.trunk.extra is a tensor "
          + "that the model has not. Is it a checkpoint of another model?", e.getMessage());
      var wide = assertThrows(IOException.class, () ->
          Checkpoint.load(ClipConfig.parse(CONFIG).with("text_cfg.width=32"), file)).getMessage();
      assertTrue(wide.contains("positional_embedding is [8, 16], the model expects [8, 32]; "), wide);
      assertEquals(4, wide.chars().filter(c -> c == ';').count() - 1, wide);
      assertTrue(wide.matches("(?s).*; and \\d+ more\\. Is it.*"), wide);
      Checkpoint.save(m, file);
      var words = assertThrows(IOException.class, () ->
          Checkpoint.load(ClipConfig.parse(CONFIG).with("text_cfg.vocab_size=301"), file)).getMessage();
      assertTrue(words.contains("token_embedding.weight is [300, 16], the model expects [301, 16]. Its vocabulary has "
          + "300 tokens, that of the config (text_cfg.vocab_size) 301"), words);
    }
  }

  /// A bare trunk of timm's, without a prefix and with a classifier of its own, is the image tower's but for the
  /// projection; its positions are resized. A file that does not fit changes nothing.
  @Test void aBareTrunkIsAnImageTower() throws IOException {
    var file = folder.resolve("timm.safetensors");
    try (var _ = Scope.open(Device.best())) {
      ClipModel from = model(1), to = model(2), larger = model(2, "vision_cfg.image_size=48",
          "vision_cfg.timm_model_kwargs.img_size=48");
      var bare = new LinkedHashMap<String, Safetensors.Array>();
      Checkpoint.arrays(from, Parameters.of(from).all()).forEach((n, a) -> {
        if (n.startsWith("visual.trunk.")) bare.put(n.substring(13), a);
      });
      bare.put("head.weight", new Safetensors.Array(new int[] {1000, 16}, new float[16000]));
      Safetensors.write(file, bare, Map.of());
      float[] projection = floats(to, "visual.head.proj.weight"), words = floats(to, "text.token_embedding.weight");
      assertEquals(java.util.List.of("visual.head.proj.weight"), Checkpoint.image(to, file));
      for (var n : java.util.List.of("visual.trunk.pos_embed", "visual.trunk.blocks.0.attn.qkv.weight",
          "visual.trunk.patch_embed.proj.weight"))
        assertArrayEquals(floats(from, n), floats(to, n), n);
      assertArrayEquals(projection, floats(to, "visual.head.proj.weight"));
      assertArrayEquals(words, floats(to, "text.token_embedding.weight"));
      Checkpoint.image(larger, file);
      assertArrayEquals(floats(from, "visual.trunk.norm.bias"), floats(larger, "visual.trunk.norm.bias"));
      var other = model(3, "vision_cfg.timm_model_kwargs.depth=2");
      float[] before = floats(other, "visual.trunk.norm.weight");
      var e = assertThrows(IOException.class, () -> Checkpoint.image(other, file)).getMessage();
      assertTrue(e.contains("blocks.1.norm1.weight is missing; ") && e.contains(" more. "), e);
      assertArrayEquals(before, floats(other, "visual.trunk.norm.weight"));
    }
  }

  private static float[] floats(ClipModel m, String path) { return Parameters.of(m).all().get(path).floats(); }
}
