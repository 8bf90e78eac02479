package jacquard.tests.clip.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.Presets;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.Patches;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tests.clip.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What towers say about themselves, beside what OpenCLIP's factory of optimisers says: `groups.json` was cut from what
/// it recorded.
class FamiliesTest {
  private static ClipModel described(String fixture) throws IOException {
    return ClipModel.describe(ClipConfig.read(Fixtures.file("models/" + fixture + "/config.json")));
  }

  /// Group by group, from output to input: what decays and what does not.
  @Test void groupsAndDecayAreThoseOfOpenClip() throws IOException {
    JsonNode recorded;
    try (var in = FamiliesTest.class.getResourceAsStream("/clip/groups.json")) {
      recorded = Fixtures.JSON.readTree(in);
    }
    for (var c : recorded.properties()) {
      var model = ClipModel.describe(ClipConfig.of(c.getValue().get("config")));
      var decayed = model.decayed();
      var names = new TreeMap<String, String>();
      model.parameters().trained().keySet().forEach(p -> names.put(model.nameOf(p), p));
      var left = new TreeSet<String>();
      c.getValue().get("undecayed").forEach(n -> left.add(n.asText()));
      assertEquals(left, names.keySet().stream().filter(n -> !decayed.test(names.get(n)))
          .collect(Collectors.toCollection(TreeSet::new)), c.getKey());
      for (var tower : Map.of("visual", "image", "text", "text").entrySet()) {
        var groups = model.groups().get(tower.getKey());
        var theirs = c.getValue().get(tower.getValue());
        assertEquals(theirs.size(), groups.size(), c.getKey() + " " + tower.getValue());
        for (int i = 0; i < groups.size(); i++) {
          var expected = new TreeSet<String>();
          theirs.get(i).forEach(n -> expected.add(n.asText()));
          var all = new TreeSet<>(model.parameters().trained().keySet());
          all.removeAll(model.parameters().freeze(groups.get(i).toArray(String[]::new)).trained().keySet());
          assertEquals(expected, all.stream().map(model::nameOf).collect(Collectors.toCollection(TreeSet::new)),
              c.getKey() + " " + tower.getValue() + " " + i);
        }
      }
    }
    assertTrue(recorded.size() >= 16);
  }

  /// OpenCLIP's head behind a trunk of timm's is a group of its own.
  @Test void headsOfTimmTowersAreTheLastGroup() throws IOException {
    var groups = described("vit_gap").visual().groups();
    assertEquals(java.util.List.of("head.**"), groups.getLast());
    assertEquals(4, groups.size());                                               // patches, two blocks, the head
  }

  /// The modern tower's features do not know how far a caption was padded, nor whether it was.
  @Test void padsDoNotReachTheModernTower() throws IOException {
    for (var name : new String[] {"modern_map_variable", "modern_mlp_gate_bias"}) {
      var config = ClipConfig.read(Fixtures.file("models/" + name + "/config.json"));
      int pad = name.equals("modern_map_variable") ? 5 : 0;
      try (var _ = Scope.open(Device.best())) {
        var text = ClipModel.create(config, 1).text();
        float[] once = text.features(new int[][] {{298, 7, 8, 299}}).floats();
        assertArrayEquals(once, text.features(new int[][] {{298, 7, 8, 299, pad, pad}}).floats(), name);
        assertEquals(4, text.tokens(new int[][] {{298, 7, 8, 299, pad, pad}}).tokens().dim(0), name);
      }
    }
  }

  /// A row of T5 must know its place by its number, so a pad between tokens is refused there.
  @Test void padsBetweenTokensAreRefusedByT5() throws IOException {
    var config = ClipConfig.read(Fixtures.file("models/hf_mt5/config.json"));
    try (var _ = Scope.open(Device.best())) {
      var text = ClipModel.create(config, 1).text();
      assertArrayEquals(text.features(new int[][] {{7, 8, 1}}).floats(), text.features(new int[][] {{7, 8, 1, 0, 0}})
          .floats());
      var e = assertThrows(IllegalArgumentException.class, () -> text.features(new int[][] {{7, 0, 8, 1}}));
      assertTrue(e.getMessage().contains("caption 0") && e.getMessage().contains("between its tokens"), e.getMessage());
    }
  }

  /// NLLB counts tokens, ModernBERT places: a pad between tokens moves the positions of the one and not of the other.
  @Test void padsBetweenTokensMoveModernBertsPositionsAlone() throws IOException {
    for (var name : new String[] {"siglip_nllb", "hf_modernbert_variable"}) {
      var config = ClipConfig.read(Fixtures.file("models/" + name + "/config.json"));
      int pad = name.equals("siglip_nllb") ? 1 : 3;
      try (var _ = Scope.open(Device.best())) {
        var text = ClipModel.create(config, 1).text();
        float[] together = text.features(new int[][] {{298, 7, 8, 299}}).floats(), apart =
            text.features(new int[][] {{298, 7, pad, 8, 299, pad}}).floats();
        assertEquals(name.equals("siglip_nllb"), java.util.Arrays.equals(together, apart), name);
      }
    }
  }

  /// Pads are no rows: how many there are changes nothing.
  @Test void padsDoNotReachBert() throws IOException {
    var config = ClipConfig.read(Fixtures.file("models/hf_xlm_roberta/config.json"));
    try (var _ = Scope.open(Device.best())) {
      var text = ClipModel.create(config, 1).text();
      float[] once = text.features(new int[][] {{298, 7, 8, 299}}).floats();
      assertArrayEquals(once, text.features(new int[][] {{298, 7, 8, 299, 1, 1, 1}}).floats());
      assertEquals(4, text.tokens(new int[][] {{298, 7, 8, 299, 1, 1, 1}}).tokens().dim(0));
      var e = assertThrows(IllegalArgumentException.class, () -> text.features(new int[][] {{1, 1}}));
      assertTrue(e.getMessage().contains("caption 0") && e.getMessage().contains("padding"), e.getMessage());
    }
  }

  @Test void positionsOfATimmTowerAreResized(@TempDir Path folder) throws IOException {
    var small = ClipConfig.read(Fixtures.file("models/vit_clip_timm/config.json"));
    try (var _ = Scope.open(Device.best())) {
      var model = ClipModel.create(small, 1);
      Checkpoint.save(model, folder.resolve("w.safetensors"));
      var large = Checkpoint.load(small.with("vision_cfg.image_size=48", "vision_cfg.timm_model_kwargs.img_size=48"),
          folder.resolve("w.safetensors"));
      var tables = new float[][] {jacquard.autograd.Parameters.of(model).all().get("visual.trunk.pos_embed").floats(),
          jacquard.autograd.Parameters.of(large).all().get("visual.trunk.pos_embed").floats()};
      int width = tables[0].length / 17;
      assertEquals(37 * width, tables[1].length);
      for (int i = 0; i < width; i++) assertEquals(tables[0][i], tables[1][i]);    // the class token's own stays
    }
  }

  /// Half the patches in training, all in evaluation.
  @Test void patchesOfATimmTowerAreDroppedInTraining() throws IOException {
    var config = ClipConfig.read(Fixtures.file("models/vit_gap/config.json")).with("vision_cfg.patch_dropout=0.5");
    try (var _ = Scope.open(Device.best())) {
      var tower = ClipModel.create(config, 1).visual();
      var images = ImageBatch.of(new float[2 * 32 * 32 * 3], 2, new Grid(32, 32));
      assertEquals(32, tower.tokens(images).tokens().dim(0));
      assertEquals(16, Pass.training(Random.of(1)).call(() -> tower.tokens(images)).tokens().dim(0));
    }
  }

  /// Checkpoints of older versions hold the numbers 0, 1, 2 … beside BERT's positions.
  @Test void whatOlderVersionsHoldIsPassedOver(@TempDir Path folder) throws IOException {
    var config = ClipConfig.read(Fixtures.file("models/hf_xlm_roberta/config.json"));
    try (var _ = Scope.open(Device.best())) {
      var model = ClipModel.create(config, 1);
      var all = new LinkedHashMap<>(Checkpoint.arrays(model, jacquard.autograd.Parameters.of(model).all()));
      all.put("text.transformer.embeddings.position_ids", new Safetensors.Array(new int[] {1, 2}, new long[] {0, 1}));
      Safetensors.write(folder.resolve("w.safetensors"), all, Map.of());
      Checkpoint.load(config, folder.resolve("w.safetensors"));
    }
  }

  /// A picture's features do not know its neighbours in the batch, whatever their sizes, and a batch of one size is the
  /// same as its patches.
  @Test void naflexTakesPicturesOfAnySize() throws IOException {
    var config = ClipConfig.read(Fixtures.file("models/naflex_map_swiglu/config.json"));
    try (var _ = Scope.open(Device.best())) {
      var tower = ClipModel.create(config, 1).visual();
      var random = Random.of(2);
      float[] a = new float[12 * 20 * 3], b = new float[24 * 8 * 3];
      for (int i = 0; i < a.length; i++) a[i] = (float) random.normal(i);
      for (int i = 0; i < b.length; i++) b[i] = (float) random.normal(1000 + i);
      Patches first = Patches.of(ImageBatch.of(a, 1, new Grid(12, 20)), 4), second =
          Patches.of(ImageBatch.of(b, 1, new Grid(24, 8)), 4);
      var both = new Patches(jacquard.tensor.Tensor.concat(0, java.util.List.of(first.rows(), second.rows())),
          java.util.List.of(new Grid(3, 5), new Grid(6, 2)));
      float[] together = tower.features(both).floats(), alone =
          tower.features(ImageBatch.of(b, 1, new Grid(24, 8))).floats();
      assertArrayEquals(alone, java.util.Arrays.copyOfRange(together, alone.length, 2 * alone.length), 1e-5f);
      var e = assertThrows(IllegalArgumentException.class, () ->
          tower.features(ImageBatch.of(new float[10 * 8 * 3], 1, new Grid(10, 8))));
      assertTrue(e.getMessage().contains("10") && e.getMessage().contains("patches of 4"), e.getMessage());
      assertThrows(UnsupportedOperationException.class, () -> described("vit").visual().features(both));
    }
  }

  @Test void whatIsNotBuiltSaysWhy() throws IOException {
    var siglip = Presets.of("ViT-B-16-SigLIP");
    assertTrue(siglip.unsupported().isEmpty());
    var modern = Presets.of("moderntext-ViT-B-32-256");
    assertTrue(modern.with("text_cfg.mlp_type=relu").unsupported().orElseThrow().contains("mlp_type relu"));
    assertTrue(modern.with("text_cfg.pool_type=last").unsupported().orElseThrow().contains("pool_type last"));
    assertTrue(siglip.with("vision_cfg.timm_model_kwargs.reg_tokens=4").unsupported().orElseThrow()
        .contains("reg_tokens"));
    assertTrue(siglip.with("vision_cfg.timm_pool=token").unsupported().orElseThrow().contains("token"));
    var bert = ClipConfig.read(Fixtures.file("models/hf_bert_cls/config.json"));
    assertTrue(bert.with("text_cfg.hf_pooler_type=other").unsupported().orElseThrow().contains("hf_pooler_type other"));
    assertTrue(bert.with("text_cfg.hf_model_config.hidden_act=silu").unsupported().orElseThrow()
        .contains("hidden_act silu"));
    var alone = Files.readString(Fixtures.file("models/hf_bert_cls/config.json"));
    assertTrue(ClipConfig.parse(alone).unsupported().orElseThrow().contains("hf_config.json"),
        "its sizes lie beside it");
    assertEquals("Hugging Face text tower roberta-bas, whose sizes are not known: put its own config beside this one "
        + "as hf_config.json, or give hf_model_config. Did you mean roberta-base or xlm-roberta-base?",
        Presets.of("roberta-ViT-B-32").with("text_cfg.hf_model_name=roberta-bas").unsupported().orElseThrow());
    assertTrue(siglip.with("vision_cfg.timm_model_name=resnet50_siglip").unsupported().orElseThrow()
        .endsWith("timm tower resnet50_siglip"));
    assertTrue(Presets.of("convnext_base").with("vision_cfg.timm_model_name=convnxt_base").unsupported().orElseThrow()
        .contains("timm tower convnxt_base. Did you mean convnext_base"));
    var tokens = assertThrows(IllegalArgumentException.class, () -> Presets.of("roberta-ViT-B-32")
        .with("text_cfg.hf_tokenizer_name=roberta-bas").text().input().captions(null)).getMessage();
    assertTrue(tokens.contains("the tokenizer roberta-bas;") && tokens.contains("Did you mean roberta-base"), tokens);
  }
}
