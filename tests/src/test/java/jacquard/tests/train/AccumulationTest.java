package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.data.Batch;
import jacquard.clip.data.Batches;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.clip.train.Compute;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.Loop;
import jacquard.clip.train.Optimization;
import jacquard.clip.train.parameter.Rates;
import jacquard.clip.train.task.Match;
import jacquard.tensor.Device;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What micro-batches do beside adding up (which `TrainerTest` checks): each is a part of the whole batch, and runs
/// twice.
class AccumulationTest {
  private static final String CONFIG = """
      {"embed_dim": 16,
          "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8,
          "patch_dropout": 0.5},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}}""";
  private static final String RESNET = """
      {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "head_width": 32},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}}""";

  private static Batches stream() {
    var transform = new Transform(HubConfig.preprocess(ClipConfig.parse(CONFIG)));
    return new Batches(EmojiSource.training(), transform, Augmentation.DEFAULT, 8, 8, 1);
  }

  private static Batch batch() { return stream().at(0); }

  /// Micro-batches drop the patches that the whole batch drops, so that their gradient is the whole batch's (bounds as
  /// for accumulation without patch dropout).
  @Test void microBatchesDropTheSamePatches() {
    var config = ClipConfig.parse(CONFIG);
    try (var _ = Scope.open(Device.best())) {
      var task = new Match(ClipModel.create(config, 1), Match.Loss.SOFTMAX);
      var batch = batch();
      Gradients.Result whole = Gradients.of(task, batch, 1, Pass.training(Random.of(1))), parts =
          Gradients.of(task, batch, 3, Pass.training(Random.of(1)));
      assertEquals(whole.loss(), parts.loss(), 1e-6 * whole.loss());
      for (var name : List.of("visual.conv1.weight", "visual.proj", "logit_scale")) {
        float[] a = whole.gradients().get(name).floats();
        float largest = 1e-3f;
        for (float v : a) largest = Math.max(largest, Math.abs(v));
        assertArrayEquals(a, parts.gradients().get(name).floats(), 1e-5f * largest, name);
      }
    }
  }

  /// Each micro-batch moves the running statistics once, though it runs twice: from 0, two equal ones move a mean
  /// by 0.1 + 0.9·0.1 of theirs, the whole batch by 0.1.
  @Test void statisticsMoveOnceAMicroBatch() {
    var all = batch();
    int each = 32 * 32 * 3;
    float[] twice = new float[8 * each];
    for (int half = 0; half < 2; half++) System.arraycopy(all.pictures().rows(), 0, twice, half * 4 * each, 4 * each);
    var tokens = all.captions().tokens();
    var batch = Batch.of(twice, all.pictures().grid(), tokens);
    var means = new ArrayList<float[]>();
    for (int parts : new int[] {1, 2})
      try (var _ = Scope.open(Device.best())) {
        var task = new Match(ClipModel.create(ClipConfig.parse(RESNET), 1), Match.Loss.SOFTMAX);
        Gradients.of(task, batch, parts, Pass.training(Random.of(1)));
        means.add(Parameters.of(task.model()).all().get("visual.bn1.running_mean").floats());
      }
    for (int i = 0; i < means.getFirst().length; i++)
      assertEquals(1.9f * means.getFirst()[i], means.getLast()[i], 1e-5f);
  }

  /// `num_batches_tracked`: each micro-batch of a step counts once, those of fixed groups not; a checkpoint holds it.
  @Test void batchesAreCounted(@TempDir Path folder) throws IOException {
    var config = ClipConfig.parse(RESNET);
    try (var _ = Scope.open(Device.best())) {
      var model = ClipModel.create(config, 1).fixedStatistics(1);
      var task = new Match(model, Match.Loss.SOFTMAX);
      var optimization = new Optimization(new Optimizer.Sgd(0, false), new Schedule.Constant(1e-3, 0),
          Rates.decayed(0), 0, 2);
      new Loop(task, stream(), Loop.Move.by(optimization.over(task)), optimization, Compute.on(Device.best()), 3,
          1, null).run(0, () -> false, List.of());
      var file = folder.resolve("model.safetensors");
      Checkpoint.save(model, file);
      var again = Parameters.of(Checkpoint.load(config, file)).all();
      assertArrayEquals(new long[] {0}, (long[]) again.get("visual.bn1.num_batches_tracked").read());
      assertArrayEquals(new long[] {6}, (long[]) again.get("visual.layer1.0.bn1.num_batches_tracked").read());
    }
  }
}
