package jacquard.tests.tune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.Hidden;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.nn.PositionTable;
import jacquard.clip.nn.Resampling;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.parameter.Locks;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.tune.mim.MaskedImages;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Group;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Masked image modelling: what is hidden stays unseen, the step does not depend on micro-batches and ranks, and the
/// student becomes the image tower of a CLIP.
@Timeout(60)
class MaskedImagesTest {
  private static final String TEXT =
      "\"text_cfg\": {\"context_length\": 8, \"vocab_size\": 64, \"width\": 16, \"heads\": 2, \"layers\": 1}";
  private static final String VIT = "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": 2, "
      + "\"width\": 24, \"head_width\": 12, \"patch_size\": 8}, " + TEXT + "}";
  private static final String EVA = "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"timm_model_name\": "
      + "\"eva02_base_patch16_clip_224\", \"timm_pool\": \"token\", \"timm_proj\": null, "
      + "\"timm_model_kwargs\": {\"img_size\": 32, \"patch_size\": 8, \"embed_dim\": 32, \"depth\": 2, "
      + "\"num_heads\": 2}}, " + TEXT + "}";
  private static final String RESNET = "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": [1, 1, 1, "
      + "1], \"width\": 4, \"head_width\": 8}, " + TEXT + "}";
  private static final int CELLS = 16;

  @TempDir Path folder;

  static List<String> towers() { return List.of(VIT, EVA); }

  private static float[] pixels(int n) {
    var key = Random.of(5);
    float[] r = new float[n * 32 * 32 * 3];
    for (int i = 0; i < r.length; i++) r[i] = (float) key.normal(i);
    return r;
  }

  private static Batch batch(int n) { return Batch.of(pixels(n), new Grid(32, 32), new int[n][8]); }

  private Path teacher() throws IOException {
    var file = folder.resolve("teacher.safetensors");
    try (var _ = Scope.open(Device.named("cpu"))) {
      Checkpoint.save(ClipModel.create(ClipConfig.parse(VIT), 1), file);
    }
    return file;
  }

  private MaskedImages task(String student, Path teacher) throws IOException {
    var begun = new Contrastive.Recipe(ClipConfig.parse(student), null, Locks.NONE, Contrastive.Loss.SOFTMAX, 2);
    return new MaskedImages.Recipe(begun, ClipConfig.parse(VIT), teacher, 0.41).make(false);
  }

  /// Other pixels within hidden patches change nothing; elsewhere they do. Without hidden patches the tower is itself,
  /// to the bit.
  @ParameterizedTest @MethodSource("towers") void hiddenPatchesStayUnseen(String config) {
    try (var _ = Scope.open(Device.named("cpu"))) {
      var tower = ClipModel.create(ClipConfig.parse(config), 3).visual();
      var token = Tensor.full(jacquard.tensor.Shape.of(config.equals(VIT) ? 24 : 32), 0.3f);
      var hidden = new boolean[2 * CELLS];
      hidden[0] = hidden[CELLS + 5] = true;                                 // first patch; of the other, row 1, second
      float[] seen = pixels(2), within = seen.clone(), without = seen.clone();
      within[0] += 3;
      within[(32 * 32 + 9 * 32 + 12) * 3] -= 2;
      without[9 * 3] += 3;                                                         // row 0, column 9: its second patch
      var hiding = tower.hiding(new Hidden(token, hidden));
      float[] of = rows(hiding, seen);
      assertArrayEquals(of, rows(hiding, within));
      assertFalse(Arrays.equals(of, rows(hiding, without)));
      assertFalse(Arrays.equals(of, rows(tower, seen)));
      assertArrayEquals(rows(tower, seen), rows(tower.hiding(new Hidden(token, new boolean[2 * CELLS])), seen));
    }
  }

  private static float[] rows(jacquard.clip.model.tower.ImageTower tower, float[] pixels) {
    return tower.tokens(ImageBatch.of(pixels, 2, new Grid(32, 32))).tokens().floats();
  }

  private static final Pass STEP = Pass.training(Random.of(9).fold(4));

  private Map<String, float[]> gradients(Path teacher, int from, int to, int parts, double[] loss) throws IOException {
    var all = batch(6);
    var r = Gradients.of(task(VIT, teacher), all.part(from, to), parts, STEP);
    loss[0] = r.loss();
    var of = new java.util.TreeMap<String, float[]>();
    r.gradients().forEach((path, g) -> of.put(path, g.floats()));
    return of;
  }

  /// The same sum, in other orders of F32: 1e-4 of each gradient's largest is far below what another mask would do.
  @Test void microBatchesAndRanksChangeNothing() throws IOException {
    var teacher = teacher();
    double[] loss = new double[1], other = new double[1];
    Map<String, float[]> one, three;
    try (var _ = Scope.open(Device.named("cpu"))) { one = gradients(teacher, 0, 6, 1, loss); }
    assertTrue(one.containsKey("mask_token") && one.containsKey("lm_head.weight")
        && one.containsKey("visual.conv1.weight"), one.keySet().toString());
    assertFalse(one.keySet().stream().anyMatch(p -> p.startsWith("text.") || p.equals("visual.proj")));
    try (var _ = Scope.open(Device.named("cpu"))) { three = gradients(teacher, 0, 6, 3, other); }
    alike(one, three);
    assertEquals(loss[0], other[0], 1e-6);
    var ranks = Group.run(List.of(Device.named("cpu"), Device.named("cpu")), g -> {
      try (var _ = Scope.open()) {
        double[] own = new double[1];
        var r = gradients(teacher, g.rank() == 0 ? 0 : 2, g.rank() == 0 ? 2 : 6, 1, own);
        assertEquals(loss[0], own[0], 1e-6);
        return r;
      }
    });
    for (var r : ranks) alike(one, r);
  }

  private static void alike(Map<String, float[]> one, Map<String, float[]> other) {
    assertEquals(one.keySet(), other.keySet());
    one.forEach((path, g) -> {
      float largest = 0;
      for (float v : g) largest = Math.max(largest, Math.abs(v));
      assertArrayEquals(g, other.get(path), 1e-4f * largest + 1e-8f, path);
    });
  }

  /// Twenty steps on one batch learn what the teacher sees; what a run keeps goes on to the same bits; what it
  /// publishes is a CLIP whose image tower others begin from, and the text tower is as it was.
  @ParameterizedTest @MethodSource("towers") void aStudentBecomesATower(String config) throws IOException {
    var teacher = teacher();
    try (var _ = Scope.open(Device.named("cpu"))) {
      var task = task(config, teacher);
      var optimizer = new Optimizer(new Optimizer.AdamW(0.9, 0.98, 1e-6), task.parameters(), 0, _ -> false);
      double first = 0, last = 0;
      for (int s = 0; s < 20; s++) {
        var step = Gradients.of(task, batch(4), 1, STEP);
        if (s == 0) first = step.loss();
        last = step.loss();
        optimizer.step(step.gradients(), 3e-3, 1);
      }
      assertTrue(last < first - 0.1, first + " to " + last);

      var file = folder.resolve("state.safetensors");
      Safetensors.write(file, task.stored(), Map.of());
      var again = task(config, teacher);
      try (var w = Safetensors.open(file)) { again.restore(w, ""); }
      assertEquals(List.copyOf(task.stored().keySet()), List.copyOf(again.stored().keySet()));
      assertArrayEquals(task.parameters().all().get("mask_token").floats(),
          again.parameters().all().get("mask_token").floats());
      assertEquals(Gradients.of(task, batch(4), 1, STEP).loss(), Gradients.of(again, batch(4), 1, STEP).loss());

      Safetensors.write(file, task.published(task.stored()), Map.of());
      var clip = ClipModel.create(ClipConfig.parse(config), 7);
      var words = floats(clip, "text.token_embedding.weight");
      assertEquals(List.of(), Checkpoint.image(clip, file));
      assertArrayEquals(rows(task.model().visual(), pixels(2)), rows(clip.visual(), pixels(2)));
      assertArrayEquals(words, floats(clip, "text.token_embedding.weight"));
      Checkpoint.load(ClipConfig.parse(config), file);
    }
  }

  private static float[] floats(ClipModel m, String path) { return Parameters.of(m).all().get(path).floats(); }

  /// Which parameters decay: matrices of the tower and of the head, not the token.
  @Test void theTokenDoesNotDecay() throws IOException {
    try (var _ = Scope.open(Device.named("cpu"))) {
      var decayed = task(VIT, teacher()).decayed();
      assertTrue(decayed.test("lm_head.weight") && decayed.test("visual.conv1.weight"));
      assertFalse(decayed.test("mask_token") || decayed.test("lm_head.bias") || decayed.test("visual.ln_post.weight"));
    }
  }

  @Test void whatHasNoPatchesIsRefused() throws IOException {
    var teacher = teacher();
    try (var _ = Scope.open(Device.named("cpu"))) {
      var e = assertThrows(IllegalArgumentException.class, () -> task(RESNET, teacher)).getMessage();
      assertTrue(e.contains("the student's image tower has no patches"), e);
      e = assertThrows(IllegalArgumentException.class, () -> task(VIT.replace("\"patch_size\": 8",
          "\"patch_size\": 16"), teacher)).getMessage();
      assertTrue(e.contains("the teacher sees") && e.contains("the student"), e);
    }
  }

  /// A student under EVA's own names, with what served the modelling alone: the same tower under timm's. Of another
  /// patch size its kernels are resized, of another grid its positions, as PyTorch's `interpolate(mode="bicubic")`.
  @Test void studentsOfEvaBecomeTowers() throws IOException {
    var file = folder.resolve("eva02_pt.safetensors");
    try (var _ = Scope.open(Device.named("cpu"))) {
      var from = ClipModel.create(ClipConfig.parse(EVA), 1);
      var eva = new java.util.LinkedHashMap<String, Safetensors.Array>();
      Checkpoint.arrays(from, Parameters.of(from).all()).forEach((n, a) -> {
        if (!n.startsWith("visual.trunk.") || n.startsWith("visual.trunk.head.")) return;
        eva.put(n.substring(13).replace("attn.norm.", "attn.inner_attn_ln.").replace("q_proj.bias", "q_bias")
            .replace("v_proj.bias", "v_bias").replace("fc1_g", "w1").replace("fc1_x", "w2")
            .replace("mlp.norm.", "mlp.ffn_ln.").replace("fc2", "w3"), a);
      });
      assertTrue(eva.containsKey("blocks.1.attn.q_bias") && eva.containsKey("blocks.1.mlp.ffn_ln.weight"));
      for (var n : List.of("mask_token", "lm_head.weight", "lm_head.bias", "rope.freqs_cos"))
        eva.put(n, new Safetensors.Array(new int[] {2}, new float[2]));
      Safetensors.write(file, eva, Map.of());

      var same = ClipModel.create(ClipConfig.parse(EVA), 2);
      assertEquals(List.of("visual.trunk.head.weight", "visual.trunk.head.bias"), Checkpoint.image(same, file));
      Parameters.of(from).all().forEach((path, t) -> {
        if (path.startsWith("visual.trunk.") && !path.contains(".head."))
          assertArrayEquals(t.floats(), floats(same, path), path);
      });

      var other = ClipModel.create(ClipConfig.parse(EVA).with("vision_cfg.image_size=18",
          "vision_cfg.timm_model_kwargs.img_size=18", "vision_cfg.timm_model_kwargs.patch_size=6"), 2);
      Checkpoint.image(other, file);
      assertArrayEquals(PositionTable.ofKernels(floats(from, "visual.trunk.patch_embed.proj.weight"), 3, new Grid(8, 8),
          new Grid(6, 6)), floats(other, "visual.trunk.patch_embed.proj.weight"));
      assertArrayEquals(PositionTable.ofGrid(floats(from, "visual.trunk.pos_embed"), 1, 32, new Grid(4, 4),
          new Grid(3, 3), Resampling.CUBIC_OF_FOUR), floats(other, "visual.trunk.pos_embed"));
    }
  }

  /// sin(.37·i) on 14 × 14 and on 4 × 4, as `interpolate(mode="bicubic", align_corners=False)` of PyTorch 2.15 has it.
  @Test void kernelsAreResizedAsPyTorchDoes() {
    float[] of14 = PositionTable.ofKernels(sines(14), 1, new Grid(14, 14), new Grid(16, 16)),
        of4 = PositionTable.ofKernels(sines(4), 1, new Grid(4, 4), new Grid(3, 3));
    assertArrayEquals(new float[] {0.0216433f, 0.7716f, 0.6571116f, -0.3211814f, 0.1307195f},
        new float[] {of14[0], of14[7], of14[5 * 16 + 3], of14[8 * 16 + 15], of14[255]}, 1e-6f);
    assertArrayEquals(new float[] {0.1973569f, 0.6062458f, 0.8480521f, 0.7559999f, 0.3577516f, -0.1390934f, -0.8261123f,
        -0.9037827f, -0.7323694f}, of4, 1e-6f);
  }

  private static float[] sines(int side) {
    float[] r = new float[side * side];
    for (int i = 0; i < r.length; i++) r[i] = (float) Math.sin(0.37 * i);
    return r;
  }
}
