package jacquard.tests.clip.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.Presets;
import jacquard.clip.model.resnet.ResNetConfig;
import jacquard.clip.model.text.ClipTextConfig;
import jacquard.clip.model.vit.VitConfig;
import jacquard.tests.clip.Fixtures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Every config of OpenCLIP's registry, against the names and shapes of the tensors that OpenCLIP makes of it.
class RegistryConfigTest {
  private final JsonNode models = registry();

  private static JsonNode registry() {
    try {
      return Fixtures.registry();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test void presetsAreTheRegistry() {
    assertEquals(181, models.size());
    for (var m : models.properties())
      assertEquals(ClipConfig.parse(m.getValue().get("cfg").toString()), Presets.of(m.getKey()),
        m.getKey());
    var own = List.of("emoji", "emoji-vit");
    assertEquals(models.propertyStream().map(Map.Entry::getKey).toList(),
        Presets.names().stream().filter(n -> !own.contains(n)).toList());
    for (String name : own)
      assertTrue(Presets.of(name).unsupported().isEmpty() && Presets.of(name).text().input().tokenizer().equals("clip"),
          name);
  }

  /// How many of OpenCLIP's models each family has, by how its own code routes them, and which are not built: those
  /// that hear.
  @Test void everyModelHasItsFamily() {
    var families = new TreeMap<String, Integer>();
    var missing = new TreeSet<String>();
    for (var m : models.properties()) {
      var state = m.getValue().get("state");
      var config = Presets.of(m.getKey());
      if (config.unsupported().isPresent()) missing.add(m.getKey());
      assertEquals(state.has("text_decoder.ln_final.weight"), config.family().equals("CoCa"), m.getKey());
      if (state.has("visual.attnpool.positional_embedding")) assertEquals("ResNet", config.family(), m.getKey());
      families.merge(config.family(), 1, Integer::sum);
    }
    assertEquals(181, families.values().stream().mapToInt(i -> i).sum());
    assertEquals(Map.of("timm ViT", 28, "timm EVA", 12, "timm ConvNeXt", 11, "timm Swin", 1, "timm FastViT", 6,
        "timm hybrid ViT", 17, "timm ViT with relative positions", 1, "timm NaFlex", 4, "Hugging Face text", 10),
        families.entrySet().stream()
        .filter(f -> f.getKey().startsWith("timm ") || f.getKey().startsWith("Hugging Face"))
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)));
    assertEquals(Set.of(), missing.stream().filter(n -> !n.matches("CLAP-.*|naflexclap.*|naflexgenlap.*"))
        .collect(Collectors.toSet()));
  }

  @Test void derivedNumbersAreTheShapes() {
    int seen = 0;
    for (String name : Presets.buildable()) {
      if (!models.has(name)) continue;
      var state = models.get(name).get("state");
      var config = Presets.of(name);
      if (!config.compares() || !(config.text() instanceof ClipTextConfig text)) continue;
      String prefix = state.has("text.positional_embedding") ? "text." : "";
      assertEquals(prefix.equals("text."), config.custom(), name);
      shape(state, prefix + "positional_embedding", text.context() + (text.classToken() ? 1 : 0), text.width());
      shape(state, prefix + "token_embedding.weight", text.vocabulary(), text.width());
      shape(state, prefix + "transformer.resblocks." + (text.layers() - 1) + ".mlp.c_fc.weight", text.mlpWidth(),
          text.width());
      assertFalse(state.has(prefix + "transformer.resblocks." + text.layers() + ".mlp.c_fc.weight"), name);
      if (config.vision() instanceof ResNetConfig vision) {
        shape(state, "visual.attnpool.positional_embedding", vision.grid().size() + 1, 32 * vision.width());
        for (int s = 0; s < 4; s++) {
          assertTrue(state.has("visual.layer" + (s + 1) + "." + (vision.layers().get(s) - 1) + ".conv1.weight"), name);
          assertFalse(state.has("visual.layer" + (s + 1) + "." + vision.layers().get(s) + ".conv1.weight"), name);
        }
      } else if (config.vision() instanceof VitConfig vision) {
        int patch = vision.patchSize().orElseThrow();
        shape(state, "visual.conv1.weight", vision.width(), 3, patch, patch);
        shape(state, "visual.positional_embedding", vision.grid().size() + 1, vision.width());
        shape(state, "visual.transformer.resblocks." + (vision.layers() - 1) + ".mlp.c_fc.weight", vision.mlpWidth(),
            vision.width());
        assertFalse(state.has("visual.transformer.resblocks." + vision.layers() + ".mlp.c_fc.weight"), name);
        shape(state, "visual.proj", vision.attentionalPool() ? config.embedding() : vision.width(), config.embedding());
        assertEquals(!vision.noPreNorm(), state.has("visual.ln_pre.weight"), name);
        assertEquals(vision.options().layerScale().isPresent(), state.has("visual.transformer.resblocks.0.ls_1.gamma"),
            name);
      }
      assertEquals(config.logitBias().isPresent(), state.has("logit_bias"), name);
      seen++;
    }
    assertEquals(138, seen);
  }

  private static void shape(JsonNode state, String tensor, int... expected) {
    assertTrue(state.has(tensor), tensor);
    assertEquals(IntStream.of(expected).boxed().toList(), Fixtures.JSON.convertValue(state.get(tensor), List.class),
        tensor);
  }

  @Test void writtenBackIsTheSameConfig() throws IOException {
    for (var m : models.properties()) {
      var config = Presets.of(m.getKey());
      assertEquals(config, ClipConfig.parse(config.toJson()), m.getKey());
      lost(m.getKey(), m.getValue().get("cfg"), Fixtures.JSON.readTree(config.toJson()), m.getKey());
    }
  }

  /// What was given is written again with the same value, or is OpenCLIP's default, told by another config that leaves
  /// the key out.
  private void lost(String name, JsonNode given, JsonNode written, String path) {
    for (var e : given.properties()) {
      var mine = written.get(e.getKey());
      String at = path + "." + e.getKey();
      if (mine == null) {
        var without = (ObjectNode) models.get(name).get("cfg").deepCopy();
        var section = at.contains("_cfg.")
            ? (ObjectNode) without.get(at.substring(name.length() + 1, at.lastIndexOf('.'))) : without;
        section.remove(e.getKey());
        assertEquals(Presets.of(name), ClipConfig.parse(without.toString()), at);
      } else if (mine.isObject()) {
        if (path.equals(name)) lost(name, e.getValue(), mine, at);
        else assertEquals(e.getValue(), mine, at);
      } else if (mine.isNumber()) {
        assertEquals(e.getValue().doubleValue(), mine.doubleValue(), at);
      } else {
        assertEquals(e.getValue(), mine, at);
      }
    }
  }

  @Test void tokenizersAreToldApart() {
    assertEquals("clip", Presets.of("ViT-B-32").text().input().tokenizer());
    assertEquals("bert-base-uncased", Presets.of("ViT-L-14-CLIPA").text().input().tokenizer());
    assertEquals("facebook/xlm-v-base", Presets.of("ViT-H-14-worldwide").text().input().tokenizer());
    assertEquals("roberta-base", Presets.of("roberta-ViT-B-32").text().input().tokenizer());
    assertEquals("r50k_base", Presets.of("moderntext-ViT-B-32-256").text().input().tokenizer());
  }

  @Test void publishedWeightsAreThoseOfTheRecord() throws IOException {
    var record = Fixtures.JSON.readTree(Fixtures.file("registry/pretrained.json").toFile());
    int tags = 0;
    for (var m : record.properties()) for (var t : m.getValue().properties()) {
      var mine = Presets.pretrained(m.getKey(), t.getKey());
      assertEquals(t.getValue().path("quick_gelu").asBoolean(false), mine.quickGelu());
      assertEquals(t.getValue().path("hf_hub").asText(), mine.hub());
      for (int i = 0; i < t.getValue().path("mean").size(); i++)
        assertEquals((float) t.getValue().get("mean").get(i).asDouble(), mine.preprocess().mean().get(i));
      if (t.getValue().has("resize_mode"))
        assertEquals(t.getValue().get("resize_mode").asText(),
            mine.preprocess().resizeMode().name().toLowerCase(Locale.ROOT));
      tags++;
    }
    assertEquals(200, tags);
    assertEquals(tags, record.propertyStream().mapToInt(m -> Presets.pretrained(m.getKey()).size()).sum());
  }
}
