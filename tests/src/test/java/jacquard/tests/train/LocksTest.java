package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Parameters;
import jacquard.clip.data.Batches;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.parameter.Locks;
import jacquard.clip.train.task.Contrastive;
import jacquard.tensor.Device;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tests.clip.Fixtures;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// What stays trainable in a locked tower, beside what OpenCLIP 4.2 leaves trainable (`clip/recorded.py` recorded it).
class LocksTest {
  private static final String RESNET = """
      {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "head_width": 32},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}}""";

  private static Parameters parameters(ClipModel model, Locks locks) {
    return model.parameters().freeze(locks.frozen(model).toArray(String[]::new));
  }

  @Test void groupsAreThoseOfOpenClip() throws IOException {
    JsonNode recorded;
    try (var in = LocksTest.class.getResourceAsStream("/clip/locks.json")) {
      recorded = new ObjectMapper().readTree(in);
    }
    int compared = 0;
    for (var c : recorded.get("cases")) {
      var model = ClipModel.describe(ClipConfig.of(recorded.get("configs").get(c.get("config").asText())));
      var unlocked = OptionalInt.of(c.get("unlocked").asInt());
      boolean image = c.get("tower").asText().equals("image");
      var ours = new TreeSet<String>();
      parameters(model, new Locks(image ? unlocked : OptionalInt.empty(), image ? OptionalInt.empty() : unlocked,
          false)).trained().keySet().forEach(p -> ours.add(model.nameOf(p)));
      var theirs = new TreeSet<String>();
      c.get("trained").forEach(n -> theirs.add(n.asText()));
      assertEquals(theirs, ours, c.get("config") + " " + c.get("tower") + " " + unlocked);
      compared++;
    }
    assertEquals(recorded.get("cases").size(), compared);
    assertTrue(compared > 30);
  }

  @Test void moreGroupsThanThereAreIsAnError() {
    var model = ClipModel.describe(ClipConfig.parse(RESNET));
    var e = assertThrows(IllegalArgumentException.class, () ->
        new Locks(OptionalInt.of(7), OptionalInt.empty(), false).frozen(model));
    assertTrue(e.getMessage().contains("7") && e.getMessage().contains("6"), e.getMessage());
  }

  /// The projection alone is one group, the pooler the next; in a modern text tower the pooler goes with the last
  /// block. Towers without a pooler do not change.
  @Test void thePoolerMayStandApart() throws IOException {
    var bert = ClipModel.describe(ClipConfig.read(Fixtures.file("models/hf_bert_cls/config.json")));
    assertEquals(Set.of("proj", "transformer.pooler"), open(bert, 1, false));
    assertEquals(Set.of("proj"), open(bert, 1, true));
    assertEquals(Set.of("proj", "transformer.pooler"), open(bert, 2, true));
    var modern = ClipModel.describe(ClipConfig.read(Fixtures.file("models/modern_map_variable/config.json")));
    assertEquals(Set.of("pool", "text_projection"), open(modern, 1, false));
    assertEquals(Set.of("text_projection"), open(modern, 1, true));
    assertTrue(open(modern, 2, true).contains("pool"));
    for (var name : List.of("vit", "hf_mt5", "hf_roberta_max")) {
      var model = ClipModel.describe(ClipConfig.read(Fixtures.file("models/" + name + "/config.json")));
      assertEquals(model.groups(), model.groups(true), name);
    }
  }

  /// Where nothing projects and nothing pools there is no head: the last layer is the last group, as OpenCLIP has it.
  @Test void aTowerWithoutAHeadEndsWithItsLastLayer() {
    for (var c : Map.of("max_pooler", List.of("encoder.layer.1", "encoder.layer.0", "embeddings"), "cls_pooler",
        List.of("pooler", "encoder.layer.1", "encoder.layer.0", "embeddings")).entrySet()) {
      var model = ClipModel.describe(ClipConfig.parse("""
          {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8},
           "text_cfg": {"context_length": 8, "vocab_size": 100, "hf_model_name": "tiny", "hf_proj_type": "none",
           "hf_pooler_type": "%s", "hf_model_config": {"model_type": "bert", "vocab_size": 100, "hidden_size": 16,
           "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 16,
           "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0}}}""".formatted(c.getKey())));
      assertEquals(c.getValue().reversed().stream().map(g -> List.of("transformer." + g + ".**")).toList(),
          model.text().groups());
      assertEquals(model.text().groups(), model.text().poolerApart());
      assertTrue(parameters(model, new Locks(OptionalInt.empty(), OptionalInt.of(1), false)).trained().keySet()
          .stream().anyMatch(p -> p.startsWith("text.transformer." + c.getValue().getFirst())), c.getKey());
    }
    var t5 = ClipModel.describe(ClipConfig.parse("""
        {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8},
         "text_cfg": {"context_length": 8, "vocab_size": 100, "hf_model_name": "tiny", "hf_proj_type": "none",
         "hf_pooler_type": "mean_pooler", "hf_model_config": {"model_type": "mt5", "vocab_size": 100, "d_model": 16,
         "d_ff": 32, "num_layers": 2, "num_heads": 2, "d_kv": 8, "pad_token_id": 0,
         "feed_forward_proj": "gated-gelu"}}}"""));
    assertEquals(List.of(List.of("transformer.embed_tokens.**"), List.of("transformer.block.0.**"),
        List.of("transformer.block.1.**", "transformer.final_layer_norm.**")), t5.text().groups());
  }

  /// The parts of the text tower that are trained.
  private static Set<String> open(ClipModel model, int unlocked, boolean poolerApart) {
    return parameters(model, new Locks(OptionalInt.empty(), OptionalInt.of(unlocked), false, poolerApart)).trained()
        .keySet().stream().filter(p -> p.startsWith("text.")).map(p -> p.split("\\."))
        .map(p -> p[1].equals("transformer") || p[1].equals("blocks") ? p[1] + "." + p[2] : p[1])
        .collect(Collectors.toSet());
  }

  /// A locked stem keeps its weights; its batch statistics move unless they are fixed.
  @Test void statisticsOfLockedGroupsMoveUnlessFixed() throws IOException {
    for (boolean fixed : new boolean[] {false, true})
      try (var _ = Scope.open(Device.best())) {
        var config = ClipConfig.parse(RESNET);
        var locks = new Locks(OptionalInt.of(2), OptionalInt.of(0), fixed);
        var model = locks.of(ClipModel.create(config, 1));
        var batch = new Batches(EmojiSource.training(), new Transform(HubConfig.preprocess(config)),
            Augmentation.DEFAULT, 8, 8, 1).at(0);
        var all = model.parameters().all();
        float[] stem = all.get("visual.bn1.running_mean").floats(), last =
            all.get("visual.layer4.0.bn1.running_mean").floats();
        var gradients = Gradients.of(new Contrastive(model, parameters(model, locks), Contrastive.Loss.SOFTMAX), batch,
            1, Pass.training(Random.of(1))).gradients();
        assertTrue(gradients.keySet().stream().allMatch(p -> p.startsWith("visual.layer4.")
            || p.startsWith("visual.attnpool.") || p.equals("logit_scale")), gradients.keySet().toString());
        assertEquals(fixed, Arrays.equals(stem, all.get("visual.bn1.running_mean").floats()), "the stem's statistics");
        assertFalse(Arrays.equals(last, all.get("visual.layer4.0.bn1.running_mean").floats()),
            "the last stage is not locked");
        if (!fixed) continue;
        // With fixed statistics a locked group gives in training what it gives in evaluation: the same features from
        // the whole when all is fixed.
        var whole = new Locks(OptionalInt.of(0), OptionalInt.of(0), true).of(model);
        var images = jacquard.clip.model.tower.ImageBatch.of(batch.pictures().rows(), batch.count(),
            config.vision().input());
        assertArrayEquals(whole.embedImages(images).floats(),
            Pass.training(Random.of(3)).call(() -> whole.embedImages(images).floats()));
      }
  }
}
