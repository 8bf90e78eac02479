package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.data.Batches;
import jacquard.clip.data.Framing;
import jacquard.clip.data.naflex.Budget;
import jacquard.clip.data.naflex.FlexStream;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.data.source.Source;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Picture;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.clip.model.timm.naflex.PatchSizes;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.task.Foretell;
import jacquard.clip.train.task.Match;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Device;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Pictures of any size in training: which steps there are, what they hold, and that their parts add up.
class NaFlexTest {
  private static final String TEXT = """
      "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}}""";
  private static final String FLEX = """
      {"embed_dim": 16, "vision_cfg": {"timm_model_name": "naflexvit_base_patch16_gap", "image_size": 32,
        "timm_model_kwargs": {"patch_size": 8, "embed_dim": 16, "depth": 1, "num_heads": 2,
          "pos_embed_grid_size": [3, 3]}}, """ + TEXT;
  private static final String GENLIP = """
      {"embed_dim": 24, "genlip_cfg": {"width": 16, "depth": 1, "num_heads": 2, "intermediate_size": 24,
        "text_embed_dim": 12, "mrope_section": [2, 1, 1]}, "vision_cfg": {"image_size": 32, "patch_size": 8,
        "in_chans": 3}, "text_cfg": {"vocab_size": 49408, "context_length": 8, "pad_id": 0}}""";
  private static final List<Integer> LENGTHS = List.of(4, 9, 20);
  private static final Budget BUDGET = new Budget(LENGTHS, List.of(1.0, 2.0, 1.0), List.of(8), List.of(1.0), 60, 2, 0,
      0);

  private static final Source SOURCE = new Cut(EmojiSource.training());

  @TempDir Path folder;

  /// 101 drawings, every second cut to half its width, and no square is left so.
  private record Cut(Source source) implements Source {
    @Override public String name() { return "cut"; }
    @Override public int size() { return 101; }
    @Override public String caption(int index) { return source.caption(index); }
    @Override public Picture picture(int index) throws IOException {
      var p = source.picture(index);
      return p.crop(0, 0, index % 2 == 0 ? p.width() / 2 : p.width(), p.height());
    }
  }

  private static FlexStream stream(Budget budget, int shares, long seed) {
    var transform = new Transform(HubConfig.preprocess(ClipConfig.parse(FLEX)));
    var samples = new Batches(SOURCE, transform, Augmentation.DEFAULT, 1, 8, seed);
    return new FlexStream(samples, budget, new Framing.Whole(transform, Augmentation.DEFAULT), shares,
        new FlexStream.Weight(FlexStream.Scale.SQRT, 6), seed);
  }

  /// An epoch of samples takes each once, of each share as many; steps are those of the budget.
  @Test void anEpochTakesEachSampleOnceInStepsOfTheBudget() {
    for (int shares : new int[] {1, 3}) {
      var s = stream(BUDGET, shares, 5);
      long n = s.perEpoch();
      for (long epoch = 0; epoch < 2; epoch++) {
        long first = epoch * n;
        var all = LongStream.range(first, first + n).flatMap(i -> Arrays.stream(s.numbers(i, 0, 1, 1))).sorted()
            .toArray();
        assertEquals(101 / shares * shares, LongStream.of(all).distinct().count());
        assertEquals(101 / shares * shares, all.length);
        for (long i = first; i < first + n - 1; i++) assertEquals(s.before(i) + s.size(i), s.before(i + 1));
      }
      for (long i = 0; i < 3; i++) {
        var p = s.at(i).patches();
        assertTrue(LENGTHS.contains(p.room()) && p.grids().stream().allMatch(g -> g.size() <= p.room()), p.grids()
            .toString());
        assertTrue(s.size(i) == shares * Math.max(1, 60 / p.room() / 2 * 2) || s.size(i) < shares * (60 / p.room()));
        assertEquals(Math.sqrt(s.size(i) / shares / 6.0), s.weight(i), 1e-12);
      }
    }
  }

  /// Steps follow from seed and number alone, and pictures have their own proportions.
  @Test void theSeedFixesTheSteps() {
    var a = stream(BUDGET, 1, 5);
    var b = stream(BUDGET, 1, 5);
    b.at(2 * b.perEpoch() + 1);
    boolean other = false, tall = false;
    var unlike = stream(BUDGET, 1, 6);
    for (long i = 0; i < 3; i++) {
      Batch x = a.at(i), y = b.at(i);
      assertArrayEquals(x.samples(), y.samples());
      assertArrayEquals(x.patches().rows(), y.patches().rows());
      assertEquals(x.patches().grids(), y.patches().grids());
      other |= !Arrays.equals(x.samples(), unlike.at(i).samples());
      for (int k = 0; k < x.count(); k++)
        if (x.samples()[k] % 2 == 0) tall |= x.patches().grids().get(k).height() > x.patches().grids().get(k).width();
    }
    assertTrue(other && tall);
  }

  /// An epoch counted in patches ends when they are used up, and the next goes on with the samples behind its own.
  @Test void anEpochMayBeCountedInPatches() {
    var s = stream(new Budget(List.of(9), List.of(1.0), List.of(8), List.of(1.0), 60, 2, 0, 200), 1, 5);
    assertEquals(List.of(1, 4, 6, 6, 6), LongStream.range(0, s.perEpoch()).mapToObj(s::size).sorted().toList());
    var two = LongStream.range(0, 2 * s.perEpoch()).flatMap(i -> Arrays.stream(s.numbers(i, 0, 1, 1)));
    assertEquals(46, two.distinct().count());
  }

  /// Weights of patches of another size, beside timm's (FlexiViT).
  @Test void weightsAreResampledToPatchesOfOtherSizes() throws IOException {
    try (var _ = Scope.open(Device.best());
         var io = Safetensors.open(Path.of("src/main/resources/fixtures/naflex/naflex.safetensors"))) {
      var w = Tensor.of(Shape.of(2, 48), io.floats("patch_weights.4"));
      for (int side : new int[] {3, 6, 8})
        assertArrayEquals(io.floats("patch_weights." + side), PatchSizes.resampled(w, 4, side).floats(), 1e-5f);
    }
  }

  @Test void partsOfAStepAddUp() {
    try (var _ = Scope.open(Device.best())) {
      partsAddUp(new Match(ClipModel.create(ClipConfig.parse(FLEX), 1), Match.Loss.SOFTMAX),
          "visual.trunk.embeds.pos_embed", "visual.trunk.embeds.proj.weight", "logit_scale");
      var model = ClipModel.create(ClipConfig.parse(GENLIP), 1);
      partsAddUp(new Foretell(model, model.parameters()), "visual.patch_embed.proj.weight", "visual.lm_head.weight");
    }
  }

  /// The gradient of two shares' step is the same in one part and in three; what two ranks read of it is together what
  /// one reads.
  private static void partsAddUp(Task task, String... names) {
    var s = stream(BUDGET, 2, 5);
    long step = LongStream.range(0, 9).filter(i -> s.at(i).patches().room() == 9).findFirst().getAsLong();
    Batch whole = s.at(step), first = s.at(step, 0, 2, 1), second = s.at(step, 1, 2, 1);
    assertArrayEquals(whole.samples(), IntStream.concat(IntStream.of(first.samples()), IntStream.of(second.samples()))
        .toArray());
    Gradients.Result one = Gradients.of(task, whole, 1, Pass.training(Random.of(1))),
        three = Gradients.of(task, whole, 3, Pass.training(Random.of(1)));
    assertEquals(one.loss(), three.loss(), 1e-6 * one.loss());
    for (var name : names) {
      float[] a = one.gradients().get(name).floats();
      float largest = 1e-3f;
      for (float v : a) largest = Math.max(largest, Math.abs(v));
      assertArrayEquals(a, three.gradients().get(name).floats(), 1e-5f * largest, name);
    }
  }

  /// OpenCLIP holds the trunk twice, at the top and as its image tower's; a file with one of them is enough.
  @Test void aTrunkForBothIsWrittenTwiceAndReadOnce() throws IOException {
    var file = folder.resolve("model.safetensors");
    try (var _ = Scope.open(Device.best())) {
      var model = ClipModel.create(ClipConfig.parse(GENLIP), 1);
      Checkpoint.save(model, file);
      try (var written = Safetensors.open(file)) {
        for (var n : List.of("trunk.layers.0.self_attn.q_proj.weight", "patch_embed.proj.bias"))
          assertArrayEquals(written.floats(n), written.floats("visual." + n));
        assertTrue(written.names().containsAll(List.of("lm_head.weight", "visual.proj.weight", "in_proj.weight")));
      }
      var again = Checkpoint.load(model.config(), file);
      assertArrayEquals(model.parameters().all().get("visual.trunk.ln_post.weight").floats(),
          again.parameters().all().get("visual.trunk.ln_post.weight").floats());
      var e = assertThrows(IllegalArgumentException.class, () -> again.embedTexts(new int[][] {{1, 2}}));
      assertTrue(e.getMessage().contains("pictures alone"), e.getMessage());
    }
  }
}
