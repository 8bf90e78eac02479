package jacquard.tests.tune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.nn.Init;
import jacquard.clip.tune.adapter.Adapter;
import jacquard.clip.tune.adapter.PeftConfig;
import jacquard.clip.tune.blend.Blend;
import jacquard.clip.tune.head.FeatureAdapter;
import jacquard.clip.tune.head.TipAdapter;
import jacquard.clip.tune.learned.Bottleneck;
import jacquard.clip.tune.learned.Conditioned;
import jacquard.clip.tune.learned.Known;
import jacquard.clip.tune.learned.Learned;
import jacquard.clip.tune.learned.NameVectors;
import jacquard.clip.tune.learned.PromptWords;
import jacquard.clip.tune.learned.Prompted;
import jacquard.clip.tune.learned.Remembered;
import jacquard.clip.tune.prompt.Captions;
import jacquard.clip.tune.prompt.Conditional;
import jacquard.clip.tune.prompt.Context;
import jacquard.clip.tune.prompt.Independent;
import jacquard.clip.tune.prompt.Linked;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tests.Conformance;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is learned beside a model: switched off it is not there, to the bit; a file brings it back; it means what its
/// authors say.
class LearnedTest {
  private static final ClipConfig CONFIG = ClipConfig.parse("""
      {"embed_dim": 8, "vision_cfg": {"image_size": 16, "layers": 2, "width": 16, "head_width": 8, "patch_size": 8},
       "text_cfg": {"context_length": 8, "vocab_size": 40, "width": 16, "heads": 2, "layers": 2}}""");
  /// Start 38, end 39.
  private static final int[][] CAPTIONS = {{38, 4, 5, 39, 0, 0, 0, 0}, {38, 7, 39, 0, 0, 0, 0, 0},
      {38, 9, 4, 39, 0, 0, 0, 0}};
  @TempDir Path folder;
  private Scope scope;
  private Init.Maker make;
  private ClipModel base;
  private ImageBatch images;

  @BeforeEach void open() {
    scope = Scope.open(Conformance.device());
    make = Init.Maker.drawn(Random.of(3));
    base = ClipModel.create(CONFIG, 5);
    images = ImageBatch.of(drawn(4 * 256, 3).floats(), 4, new Grid(16, 16));
  }

  @AfterEach void close() { scope.close(); }

  private Tensor drawn(int... dims) { return make.make(new Init.Normal(0.5), dims); }

  private Known known() {
    return new Known(List.of(new int[][] {CAPTIONS[0]}, new int[][] {CAPTIONS[1], {38, 3, 7, 39, 0, 0, 0, 0}}));
  }

  private List<Learned> all() {
    var words = new PromptWords(new int[] {11}, new int[] {12});
    return List.of(new Prompted(Prompted.COOP, new Context(drawn(2, 16), Captions.Position.END), words),
        new Prompted(Prompted.MAPLE, Linked.of(make, drawn(2, 16), 16, 2), words),
        new Prompted(Prompted.PROMPTSRC, new Independent(drawn(2, 16), List.of(drawn(2, 16)), drawn(3, 16),
            List.of(drawn(3, 16))), words),
        new Conditioned(new Conditional(drawn(2, 16), Conditional.Net.of(make, 8, 16)), words),
        new NameVectors(new NameVectors.Vectors(drawn(2, 8)), known()), new Bottleneck(FeatureAdapter.of(make, 8)),
        new Remembered(new Remembered.Keys(drawn(3, 8).normalize()), new int[] {1, 0, 1}, known(), 1.5, 4));
  }

  /// Features of pictures and captions, and what they say of each other.
  private List<float[]> seen(ClipModel model) {
    var x = model.embedImages(images);
    return List.of(x.floats(), model.embedTexts(CAPTIONS).floats(), model.text().cosines(x, CAPTIONS).floats());
  }

  private static void equal(List<float[]> expected, List<float[]> found, String what) {
    for (int i = 0; i < expected.size(); i++) assertArrayEquals(expected.get(i), found.get(i), what + " " + i);
  }

  private static boolean differs(List<float[]> a, List<float[]> b) {
    for (int i = 0; i < a.size(); i++) if (!java.util.Arrays.equals(a.get(i), b.get(i))) return true;
    return false;
  }

  @Test void switchedOffItIsNotThere() {
    var before = seen(base);
    for (var learned : all()) {
      assertTrue(differs(before, seen(learned.onto(base, 1))), learned.kind() + " changes nothing");
      equal(before, seen(learned.onto(base, 0)), learned.kind());
      assertTrue(differs(seen(learned.onto(base, 1)), seen(learned.onto(base, 0.5))), learned.kind() + " by halves");
    }
    equal(before, seen(base), "the base");
  }

  @Test void aFileBringsItBack() throws IOException {
    for (var learned : all()) {
      learned.write(folder, Adapter.hash(base), 0.5);
      var found = Learned.read(folder, base);
      assertEquals(0.5, found.share());
      equal(seen(learned.onto(base, 1)), seen(found.learned().onto(base, 1)), learned.kind());
      var e = assertThrows(IOException.class, () -> Learned.read(folder, ClipModel.create(CONFIG, 6)));
      assertTrue(e.getMessage().contains("was learned beside another model"), e.getMessage());
    }
    var metadata = new LinkedHashMap<String, String>();
    metadata.put("kind", "spell");
    metadata.put("base_sha256", Adapter.hash(base));
    Safetensors.write(folder.resolve(Learned.FILE), Map.of("ctx", new Safetensors.Array(new int[] {1}, new float[1])),
        metadata);
    var e = assertThrows(IOException.class, () -> Learned.read(folder, base));
    assertTrue(e.getMessage().contains("its kind is \"spell\""), e.getMessage());
  }

  /// Its tensors are found once, and the towers' own by the names that they had.
  @Test void theTensorsAreFoundOnce() {
    var own = Parameters.of(base).all().keySet();
    for (var learned : all()) {
      var found = Parameters.of(learned.onto(base, 1)).all();
      assertTrue(found.keySet().containsAll(own), learned.kind());
      assertEquals(own.size() + Parameters.of(learned.tensors()).all().size(), found.size(), learned.kind());
    }
  }

  /// The vectors stand between the start and what is before the name; a long name is cut; the padding stays.
  @Test void wordsStandAroundTheName() {
    var words = new PromptWords(new int[] {11}, new int[] {12});
    var context = new Context(drawn(2, 16), Captions.Position.END);
    int[][] placed = {{38, -1, -2, 11, 4, 5, 12, 39}};
    assertArrayEquals(base.text().prompted(context.vectors(), null).features(placed).floats(),
        new Prompted(Prompted.COOP, context, words).onto(base, 1).text().features(new int[][] {CAPTIONS[0]}).floats());
    int[][] longer = {{38, 4, 5, 6, 7, 8, 9, 39}};
    assertArrayEquals(base.text().prompted(context.vectors(), null).features(placed).floats(),
        new Prompted(Prompted.COOP, context, words).onto(base, 1).text().features(longer).floats());
    var many = new Prompted(Prompted.COOP, new Context(drawn(5, 16), Captions.Position.END), words).onto(base, 1);
    assertThrows(IllegalArgumentException.class, () -> many.text().features(CAPTIONS));
  }

  /// Known captions have the names' vectors, others what they had.
  @Test void namesHaveTheirVectors() {
    var vectors = drawn(2, 8).normalize();
    var model = new NameVectors(new NameVectors.Vectors(vectors), known()).onto(base, 1);
    float[] found = model.embedTexts(CAPTIONS).floats(), before = base.embedTexts(CAPTIONS).floats();
    for (int k = 0; k < 8; k++) {
      assertEquals(vectors.floats()[k], found[k], 1e-6f);
      assertEquals(vectors.floats()[8 + k], found[8 + k], 1e-6f);
      assertEquals(before[16 + k], found[16 + k]);
    }
  }

  /// e^scale′·cosines of the longer features are Tip-Adapter's logits.
  @Test void remembersAsTipAdapterDoes() {
    var keys = drawn(3, 8).normalize();
    int[] labels = {1, 0, 1};
    double alpha = 1.5, beta = 4;
    var model = new Remembered(new Remembered.Keys(keys), labels, known(), alpha, beta).onto(base, 1);
    Tensor x = base.embedImages(images), w = base.embedTexts(CAPTIONS);
    float scale = base.scale().item();
    // there cosines are times 100
    float[] theirs = TipAdapter.of(keys, labels, 3).logits(x, w, alpha * 100 / scale, beta).mul(scale / 100).floats();
    float[] ours = model.embedImages(images).matmul(false, model.embedTexts(CAPTIONS), true).mul(model.scale())
        .floats();
    assertArrayEquals(theirs, ours, 2e-5f);
  }

  /// What is the same on both ends of a way stays, to the bit.
  @Test void aWayBetweenTheSameIsNone() {
    var other = Parameters.map(base, (p, t) -> p.equals("logit_scale") ? t.add(1) : t.copy());
    var between = Parameters.of(Blend.of(base, other, 0.3)).all();
    Parameters.of(base).all().forEach((p, t) -> {
      if (!p.equals("logit_scale")) assertArrayEquals(t.floats(), between.get(p).floats(), p);
    });
    assertEquals(base.logitScale().item() + 0.3, between.get("logit_scale").item(), 1e-5);
  }

  /// In training a share of the pairs' input is left out, the same in each pass of a step; in use nothing is.
  @Test void adaptersLeaveOutAShareWhileTheyAreTrained() {
    var adapter = Adapter.fresh(base, PeftConfig.of(2, 4, false, false, List.of("all-linear")), 1);
    var onto = Parameters.map(adapter.onto(base, 0.25), (p, t) -> p.endsWith("lora_B") ? drawn(t.shape().dims()) : t);
    var plain = adapter.of(onto).onto(base);
    equal(seen(plain), seen(onto), "in use");
    var one = Pass.training(Random.of(1)).call(() -> onto.embedTexts(CAPTIONS).floats());
    assertArrayEquals(one, Pass.training(Random.of(1)).call(() -> onto.embedTexts(CAPTIONS).floats()));
    assertFalse(java.util.Arrays.equals(one, Pass.training(Random.of(2)).call(() ->
        onto.embedTexts(CAPTIONS).floats())));
    assertArrayEquals(plain.embedTexts(CAPTIONS).floats(), Pass.training(Random.of(1)).call(() ->
        plain.embedTexts(CAPTIONS).floats()));
  }
}
