package jacquard.tests.ranks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.data.source.Source;
import jacquard.clip.image.Picture;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.train.Compute;
import jacquard.clip.train.parameter.Locks;
import jacquard.clip.train.ranks.Sharding;
import jacquard.clip.train.task.Match;
import jacquard.clip.train.task.Rows;
import jacquard.clip.train.task.Sharded;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Group;
import jacquard.tensor.Precision;
import jacquard.tests.train.Setup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What ranks keep their own rows of does not change what they compute.
@Timeout(300)
class ShardingTest {
  private static final String CONFIG = """
      {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": 2, "width": 48, "head_width": 16, "patch_size": 16},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 48, "heads": 2, "layers": 2}}""";
  /// Of 12 layers, that a block is little of it.
  private static final String LAYERS = """
      {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": 12, "width": 96, "head_width": 32, "patch_size": 16},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 8, "heads": 2, "layers": 1}}""";
  private static final int PAIRS = 12, STEPS = 4;

  private static Setup setup(int ranks, Sharding sharding, Precision precision, boolean recompute) {
    return new Setup(CONFIG).batch(PAIRS / ranks).schedule(new Schedule.Cosine(1e-3, 2, STEPS)).save(2)
        .on(new Compute(CollectivesTest.devices("cpu", ranks), precision, recompute, sharding));
  }

  private static Setup setup(int ranks, Sharding sharding) { return setup(ranks, sharding, Precision.FP32, false); }

  private static void same(Path a, Path b) throws IOException {
    for (var f : List.of("last/open_clip_model.safetensors", "resume.safetensors"))
      assertEquals(-1, Files.mismatch(a.resolve(f), b.resolve(f)), f);
  }

  /// Without clipping, the same bits as ranks that keep all, evaluations and saving included: fetched rows are the
  /// rows, and gradients are added up in the order of the ranks either way.
  @ParameterizedTest @CsvSource({"MOMENTS,2,FP32,false", "GRADIENTS,3,FP32,false", "ALL,2,FP32,false",
      "ALL,3,FP32,true", "ALL,2,BF16,true"})
  void theBitsOfRanksThatKeepAll(Sharding sharding, int ranks, Precision precision, boolean recompute,
      @TempDir Path folder) throws IOException {
    setup(ranks, Sharding.NONE, precision, recompute).clip(0).begin(folder.resolve("all"), STEPS);
    setup(ranks, sharding, precision, recompute).clip(0).begin(folder.resolve("rows"), STEPS);
    same(folder.resolve("all"), folder.resolve("rows"));
  }

  /// With micro-batches and clipping, and going on with other ranks and another way to keep them. Descent without
  /// momentum moves a parameter by rate·decay and rate·gradient, so that roundings stay roundings (see [RanksTest]).
  @Test void anyRanksGoOnFromAnyFile(@TempDir Path folder) throws IOException {
    var rule = new Optimizer.Sgd(0.9, false);
    setup(1, Sharding.NONE).parts(2).rule(rule).begin(folder.resolve("one"), STEPS);
    setup(3, Sharding.ALL).parts(2).rule(rule).begin(folder.resolve("many"), 2);
    setup(2, Sharding.GRADIENTS).parts(2).rule(rule).resume(folder.resolve("many"), 3);
    setup(2, Sharding.ALL).parts(2).rule(rule).resume(folder.resolve("many"), STEPS);
    try (var a = Safetensors.open(folder.resolve("one/resume.safetensors"));
        var b = Safetensors.open(folder.resolve("many/resume.safetensors"))) {
      assertEquals(a.names(), b.names());
      for (var name : a.names()) {
        float[] x = a.floats(name), y = b.floats(name);
        float largest = 0;
        for (float v : x) largest = Math.max(largest, Math.abs(v));
        assertArrayEquals(x, y, 1e-5f * Math.max(largest, 1e-2f), name);
      }
    }
  }

  /// Of three ranks each has a third of parameters and moments, but for what is too small to be cut.
  @Test void aRankHasItsShare() throws IOException {
    var config = ClipConfig.parse(CONFIG);
    var recipe = new Match.Recipe(config, null, Locks.NONE, Match.Loss.SOFTMAX, 1);
    long whole = Group.run(CollectivesTest.devices("cpu", 1), _ -> numbers(recipe.make(false))).getFirst();
    var parts = Group.run(CollectivesTest.devices("cpu", 3), g ->
        numbers(new Sharded.Recipe(recipe, new Rows(g)).make(false)));
    assertTrue(parts.stream().mapToLong(p -> p).sum() >= whole);
    for (long part : parts) assertTrue(part < 0.36 * whole, part + " of " + whole);
  }

  private static long numbers(Task task) {
    var optimizer = new Optimizer(new Optimizer.AdamW(0.9, 0.98, 1e-6), task.parameters(), 0, _ -> false);
    return Stream.concat(task.parameters().all().values().stream(), optimizer.state().values().stream())
        .mapToLong(t -> t.shape().size()).sum();
  }

  /// Held-out pictures are seen by a whole model, of which the best is published.
  @Test void evaluationsAreTheSame(@TempDir Path folder) throws IOException {
    setup(2, Sharding.NONE).clip(0).held(new Few(EmojiSource.heldOut()), 2).begin(folder.resolve("all"), STEPS);
    setup(2, Sharding.ALL).clip(0).held(new Few(EmojiSource.heldOut()), 2).begin(folder.resolve("rows"), STEPS);
    same(folder.resolve("all"), folder.resolve("rows"));
    assertEquals(-1, Files.mismatch(folder.resolve("all/best/open_clip_model.safetensors"),
        folder.resolve("rows/best/open_clip_model.safetensors")));
  }

  /// Running averages are cut as their parameters are.
  @Test void averagesAreTheSame(@TempDir Path folder) throws IOException {
    var held = new Few(EmojiSource.heldOut());
    setup(2, Sharding.NONE).clip(0).average(0.5).held(held, 2).begin(folder.resolve("all"), STEPS);
    setup(2, Sharding.ALL).clip(0).average(0.5).held(held, 2).begin(folder.resolve("rows"), 3);
    setup(2, Sharding.ALL).clip(0).average(0.5).held(held, 2).resume(folder.resolve("rows"), STEPS);
    same(folder.resolve("all"), folder.resolve("rows"));
    assertEquals(-1, Files.mismatch(folder.resolve("all/averages/open_clip_model.safetensors"),
        folder.resolve("rows/averages/open_clip_model.safetensors")));
  }

  /// From the first weight that is drawn to the last checkpoint, evaluations among it, a rank of two holds little more
  /// than half of what one holds that keeps all: here words' vectors are most of the model, and one tensor is whole for
  /// a moment.
  @Test void noRankEverHoldsAll(@TempDir Path folder) throws IOException {
    long all = 0, rows = 0;
    for (var sharding : List.of(Sharding.NONE, Sharding.ALL)) {
      var devices = List.of(new Noting(0), new Noting(1));
      new Setup(LAYERS).batch(2).save(1).held(new Few(EmojiSource.heldOut()), 1)
          .on(new Compute(List.copyOf(devices), Precision.FP32, true, sharding)).begin(folder.resolve(sharding.name()),
          2);
      for (var d : devices) {
        if (sharding == Sharding.NONE) all = Math.max(all, d.peak());
        else rows = Math.max(rows, d.peak());
        assertEquals(0, d.bytes());
      }
    }
    assertTrue(rows < 0.6 * all, rows + " of " + all);
  }

  /// Each rank writes a part of the checkpoint: the tensors of the whole one, which another number of ranks goes on
  /// from, to the same bits; and where it writes a whole one, the parts go.
  @Test void partsAreTheWhole(@TempDir Path folder) throws IOException {
    for (var name : List.of("whole", "parts")) {
      var begun = setup(3, Sharding.ALL);
      if (name.equals("parts")) begun.on(new Compute(CollectivesTest.devices("cpu", 3), Precision.FP32, false,
          Sharding.ALL, true));
      begun.begin(folder.resolve(name), 2);
    }
    try (var a = Weights.open(folder.resolve("whole/resume.safetensors"));
        var b = Weights.open(folder.resolve("parts/resume.safetensors.index.json"))) {
      assertEquals(a.names(), b.names());
      assertEquals(a.metadata(), b.metadata());
      for (var name : a.names()) assertArrayEquals(a.floats(name), b.floats(name), name);
    }
    assertEquals(List.of("resume-2-00001-of-00003.safetensors", "resume-2-00002-of-00003.safetensors",
        "resume-2-00003-of-00003.safetensors", "resume.safetensors.index.json"), resumes(folder.resolve("parts")));
    for (var name : List.of("whole", "parts")) setup(2, Sharding.ALL).resume(folder.resolve(name), STEPS);
    same(folder.resolve("whole"), folder.resolve("parts"));
    assertEquals(List.of("resume.safetensors"), resumes(folder.resolve("parts")));
  }

  private static List<String> resumes(Path run) throws IOException {
    try (var all = Files.list(run)) {
      return all.map(f -> f.getFileName().toString()).filter(f -> f.startsWith("resume")).sorted().toList();
    }
  }

  private record Few(Source all) implements Source {
    @Override public String name() { return "few"; }
    @Override public int size() { return 8; }
    @Override public String caption(int index) { return all.caption(index); }
    @Override public Picture picture(int index) throws IOException { return all.picture(index); }
  }
}
