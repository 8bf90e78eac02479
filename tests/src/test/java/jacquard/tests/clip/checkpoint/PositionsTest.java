package jacquard.tests.clip.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Loading weights into a model of another image size or caption length, beside what OpenCLIP 4.2 makes of the
/// positions (`recorded.py`).
class PositionsTest {
  private static final ClipConfig CONFIG = ClipConfig.parse("""
      {"embed_dim": 16, "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 16, "head_width": 8, "layers": 3},
       "text_cfg": {"context_length": 8, "vocab_size": 100, "width": 16, "heads": 2, "layers": 2}}""");

  private static Path saved(Path folder, ClipConfig config, Map<String, Safetensors.Array> instead) throws IOException {
    var file = folder.resolve("weights.safetensors");
    try (var _ = Scope.open(Device.best())) {
      var model = ClipModel.create(config, 1);
      var all = new LinkedHashMap<>(Checkpoint.arrays(model, jacquard.autograd.Parameters.of(model).all()));
      all.putAll(instead);
      all.values().removeIf(java.util.Objects::isNull);
      Safetensors.write(file, all, Map.of());
    }
    return file;
  }

  private static float[] floats(JsonNode list) {
    var d = StreamSupport.stream(list.spliterator(), false).mapToDouble(JsonNode::asDouble).toArray();
    float[] r = new float[d.length];
    for (int i = 0; i < r.length; i++) r[i] = (float) d[i];
    return r;
  }

  /// Sums of at most 16·16 products of values below 1: √256·ε = 2e-6.
  @Test void resizedAsOpenClipDoes(@TempDir Path folder) throws IOException {
    JsonNode cases;
    try (var in = PositionsTest.class.getResourceAsStream("/clip/positions.json")) {
      cases = new ObjectMapper().readTree(in);
    }
    for (var c : cases) {
      boolean image = c.get("kind").asText().equals("image");
      var name = image ? "visual.positional_embedding" : "positional_embedding";
      float[] before = floats(c.get("before"));
      var file = saved(folder, CONFIG, Map.of(name, new Safetensors.Array(new int[] {before.length / 16, 16}, before)));
      var config = CONFIG.with((image ? "vision_cfg.image_size=" : "text_cfg.context_length=") + c.get("size").asInt());
      try (var _ = Scope.open(Device.best())) {
        var model = Checkpoint.load(config, file);
        assertArrayEquals(floats(c.get("after")), jacquard.autograd.Parameters.of(model).all().get(image ? name
            : "text." + name).floats(), 2e-6f, c.get("kind") + " " + c.get("size"));
      }
    }
    assertEquals(5, cases.size());
  }

  @Test void gridsThatAreNoSquareAreAnError(@TempDir Path folder) throws IOException {
    var file = saved(folder, CONFIG.with("vision_cfg.image_size=[16,32]"), Map.of());
    try (var _ = Scope.open(Device.best())) {
      var e = assertThrows(IOException.class, () -> Checkpoint.load(CONFIG, file));
      assertTrue(e.getMessage().contains(file.toString()) && e.getMessage().contains("9 positions"), e.getMessage());
    }
  }

  /// A model for the softmax loss begins the sigmoid loss with a bias of 0, and its scale may change shape.
  @Test void whatOpenClipAdapts(@TempDir Path folder) throws IOException {
    var file = saved(folder, CONFIG, Map.of());
    try (var _ = Scope.open(Device.best())) {
      var model = Checkpoint.load(CONFIG.with("init_logit_bias=-10", "nonscalar_logit_scale=true", "custom_text=true"),
          file);
      assertEquals(0, model.logitBias().item());
      assertEquals((float) Math.log(1 / 0.07), model.logitScale().item(), 1e-6);
      assertEquals(1, model.logitScale().shape().rank());
    }
  }
}
