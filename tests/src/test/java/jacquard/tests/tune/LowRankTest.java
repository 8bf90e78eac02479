package jacquard.tests.tune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Grad;
import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.LowRank;
import jacquard.clip.tune.adapter.Adapter;
import jacquard.clip.tune.adapter.PeftConfig;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tests.Conformance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Low-rank pairs beside a layer against the dense layer that they mean, and adapters' files that are not sound.
class LowRankTest {
  private static final ClipConfig CONFIG = ClipConfig.parse("""
      {"embed_dim": 8, "vision_cfg": {"image_size": 16, "layers": 2, "width": 16, "head_width": 8, "patch_size": 8},
       "text_cfg": {"context_length": 8, "vocab_size": 40, "width": 16, "heads": 2, "layers": 2}}""");
  @TempDir Path folder;
  private Scope scope;
  private Init.Maker make;

  @BeforeEach void open() {
    scope = Scope.open(Conformance.device());
    make = Init.Maker.drawn(Random.of(3));
  }

  @AfterEach void close() { scope.close(); }

  private Tensor drawn(int... dims) { return make.make(new Init.Normal(0.5), dims); }

  private LowRank.Pair pair(int in, int from, int to, boolean magnitude) {
    return new LowRank.Pair(drawn(3, in), drawn(to - from, 3), magnitude ? drawn(to - from) : null, 0.7f, from, to);
  }

  /// Pairs for all outputs, for some, with magnitudes and without; whole, in part and merged; with activation and sum.
  @Test void isTheLayerThatItMeans() {
    var base = new Linear.Packed(drawn(18, 5), drawn(18));
    Tensor x = drawn(7, 5), added = drawn(7, 18);
    for (boolean m : new boolean[] {false, true})
      for (var pairs : List.of(List.of(pair(5, 0, 18, m)), List.of(pair(5, 0, 6, m), pair(5, 12, 18, false)),
          List.of(pair(5, 6, 12, m)))) {
        var layer = new LowRank(base, pairs);
        var merged = layer.merged();
        close(merged.apply(x), layer.apply(x));
        close(merged.apply(x, Activation.GELU, added), layer.apply(x, Activation.GELU, added));
        close(merged.rows(4, 14).apply(x), layer.rows(4, 14).apply(x));
      }
  }

  /// Gradients of the thin products are those through W + s·B·A, and the base has none.
  @Test void learnsAsTheDenseLayerWould() {
    var layer = new LowRank(new Linear.Dense(drawn(6, 5), drawn(6)), List.of(pair(5, 0, 6, false)));
    Tensor x = drawn(7, 5), w = drawn(7, 6);
    var all = Parameters.of(layer);
    assertEquals(List.of("weight", "bias", "lora.0.lora_A", "lora.0.lora_B"), List.copyOf(all.all().keySet()));
    var trained = all.freeze("weight", "bias");
    var thin = Grad.valueAndGrad(trained, () -> layer.apply(x).mul(w).sum());
    var dense = Grad.valueAndGrad(trained, () -> layer.merged().apply(x).mul(w).sum());
    assertEquals(thin.gradients().keySet(), dense.gradients().keySet());
    thin.gradients().forEach((p, g) -> close(dense.gradients().get(p), g));
  }

  /// What has learned nothing changes nothing, to the bit; what is taken off leaves the base.
  @Test void aFreshAdapterIsTheBase() {
    var base = ClipModel.create(CONFIG, 5);
    int[][] captions = {{38, 4, 5, 39, 0, 0, 0, 0}, {38, 7, 39, 0, 0, 0, 0, 0}};
    float[] before = base.text().features(captions).floats();
    var adapter = Adapter.fresh(base, PeftConfig.of(2, 4, false, false, List.of("q_proj", "v_proj", "fc1")), 1);
    assertArrayEquals(before, adapter.onto(base).text().features(captions).floats());
    assertArrayEquals(before, Adapter.merged(adapter.onto(base)).text().features(captions).floats());
    assertEquals(2 * 2 * 3, adapter.pairs().values().stream().mapToInt(List::size).sum());
  }

  @Test void filesThatAreNotSoundAreRefused() throws IOException {
    var base = ClipModel.create(CONFIG, 5);
    var adapter = Adapter.fresh(base, PeftConfig.of(2, 4, false, false, List.of("q_proj")), 1);
    adapter.write(folder, base, "base", Adapter.hash(base));
    assertEquals(adapter.config(), Adapter.read(folder, base).config());
    refused(ClipModel.create(CONFIG, 6), "was trained on another base");
    var config = Files.readString(folder.resolve("adapter_config.json"));
    for (var wrong : List.of(List.of("\"use_dora\" : false", "\"use_qalora\" : true", "use_qalora is true"),
        List.of("\"r\" : 2", "\"r\" : 0", "rank 0"), List.of("\"r\" : 2", "\"r\" : 3", "expected [3, 16]"),
        List.of("\"use_dora\" : false", "\"use_dora\" : true", "has no magnitude"),
        List.of("\"peft_type\" : \"LORA\"", "\"peft_type\" : \"IA3\"", "expected LORA"),
        List.of("\"init_lora_weights\" : true", "\"init_lora_weights\" : \"pissa\"", "a base that was changed"))) {
      assertTrue(config.contains(wrong.get(0)), config);
      Files.writeString(folder.resolve("adapter_config.json"), config.replace(wrong.get(0), wrong.get(1)));
      refused(base, wrong.get(2));
    }
    Files.writeString(folder.resolve("adapter_config.json"), config);
    var tensors = new LinkedHashMap<String, Safetensors.Array>();
    try (var file = Safetensors.open(folder.resolve("adapter_model.safetensors"))) {
      for (var n : file.names()) tensors.put(n, new Safetensors.Array(file.shape(n), file.floats(n)));
    }
    var more = new LinkedHashMap<>(tensors);
    more.put("base_model.model.text_model.encoder.layers.0.mlp.fc1.ia3_l", new Safetensors.Array(new int[] {1},
        new float[1]));
    Safetensors.write(folder.resolve("adapter_model.safetensors"), more, Map.of());
    refused(base, "ia3_l is not known here");
    var elsewhere = new LinkedHashMap<String, Safetensors.Array>();
    tensors.forEach((n, a) -> elsewhere.put(n.replace("layers.1", "layers.7"), a));
    Safetensors.write(folder.resolve("adapter_model.safetensors"), elsewhere, Map.of());
    refused(base, "is no linear layer of this model");
  }

  private void refused(ClipModel base, String expected) {
    var e = assertThrows(IOException.class, () -> Adapter.read(folder, base));
    assertTrue(e.getMessage().contains(expected), "expected \"" + expected + "\", found " + e.getMessage());
  }

  private static void close(Tensor expected, Tensor found) {
    assertEquals(expected.shape(), found.shape());
    assertArrayEquals(expected.floats(), found.floats(), 2e-5f);
  }
}
