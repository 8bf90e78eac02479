package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.Clip;
import jacquard.clip.data.Batches;
import jacquard.clip.data.EmojiSource;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.clip.train.Locks;
import jacquard.clip.train.Plan;
import jacquard.clip.train.Step;
import jacquard.clip.train.Trainer;
import jacquard.tensor.Device;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainerTest {
  private static final String CONFIG = """
      {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8, "patch_dropout": 0.25},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}}""";

  private static Plan plan(long steps, double clip) {
    return new Plan(16, 1, steps, new Schedule.Cosine(1e-2, 2, 8), new Optimizer.AdamW(0.9, 0.98, 1e-6), 0.2, clip, false, 7, Augmentation.DEFAULT.scale(0.5, 1), 100, 4, Locks.NONE);
  }

  private static Trainer trainer(Path folder, long steps) throws IOException { return trainer(folder, steps, 1); }

  private static Trainer trainer(Path folder, long steps, double clip) throws IOException {
    var config = ClipConfig.parse(CONFIG);
    return new Trainer(config, plan(steps, clip), new Transform(HubConfig.preprocess(config)), EmojiSource.training(), null, folder);
  }

  /// A run that stops after step 4 and is resumed ends with the bytes of one that went through.
  @Test void resumeGivesTheSameBits(@TempDir Path folder) throws IOException {
    trainer(folder.resolve("whole"), 8).run(false);
    trainer(folder.resolve("parts"), 4).run(false);
    trainer(folder.resolve("parts"), 8).run(true);
    for (var f : List.of("resume.safetensors", "last/open_clip_model.safetensors"))
      assertEquals(-1, Files.mismatch(folder.resolve("whole").resolve(f), folder.resolve("parts").resolve(f)), f);
  }

  /// Without clipping gradients are used as soon as they are there: the bytes of a run whose limit is never reached, which has all gradients first.
  @Test void gradientsUsedInGroupsGiveTheSameBits(@TempDir Path folder) throws IOException {
    trainer(folder.resolve("together"), 4, 1e30).run(false);
    trainer(folder.resolve("in groups"), 4, 0).run(false);
    assertEquals(-1, Files.mismatch(folder.resolve("together/resume.safetensors"), folder.resolve("in groups/resume.safetensors")));
  }

  @Test void aFolderInUseIsRefused(@TempDir Path folder) throws IOException {
    trainer(folder, 4).run(false);
    assertTrue(assertThrows(IOException.class, () -> trainer(folder, 4).run(false)).getMessage().contains("--resume"));
  }

  /// Micro-batches give the gradient of the joined batch, logit scale included. Their sums associate otherwise: √n·ε of gradients of
  /// about 1 is 1e-6; bound by 1e-5 of the largest.
  @Test void accumulationIsExact() throws IOException {
    var config = ClipConfig.parse(CONFIG.replace("0.25", "0"));
    try (var _ = Scope.open(Device.best())) {
      var model = ClipModel.create(config, 1);
      var batch = new Batches(EmojiSource.training(), new Transform(HubConfig.preprocess(config)), Augmentation.DEFAULT, 16, 8, 1).batch(0);
      var whole = Step.of(model, model.parameters(), batch, 1, false, Random.of(1));
      var parts = Step.of(model, model.parameters(), batch, 3, false, Random.of(1));
      assertEquals(whole.loss(), parts.loss(), 1e-6 * whole.loss());
      assertEquals(whole.gradients().keySet(), parts.gradients().keySet());
      for (var name : whole.gradients().keySet()) {
        float[] a = whole.gradients().get(name).floats(), b = parts.gradients().get(name).floats();
        float largest = 1e-3f;
        for (float v : a) largest = Math.max(largest, Math.abs(v));
        assertArrayEquals(a, b, 1e-5f * largest, name);
      }
    }
  }

  /// What it saves it loads, and many threads get the features of one.
  @Test void embedsFromManyThreads(@TempDir Path folder) throws Exception {
    trainer(folder, 4).run(false);
    try (var clip = Clip.load(folder.resolve("last"))) {
      float[] expected = clip.embed("cat face")[0];
      var threads = new Thread[4];
      var wrong = new java.util.concurrent.atomic.AtomicInteger();
      for (int t = 0; t < threads.length; t++) (threads[t] = new Thread(() -> {
        for (int i = 0; i < 20; i++) if (!java.util.Arrays.equals(expected, clip.embed("cat face")[0])) wrong.incrementAndGet();
      })).start();
      for (var t : threads) t.join();
      assertEquals(0, wrong.get());
    }
  }

  @Test void aCheckpointOfAnotherModelIsNamed(@TempDir Path folder) throws IOException {
    trainer(folder, 4).run(false);
    var file = folder.resolve("last/open_clip_config.json");
    Files.writeString(file, Files.readString(file).replace("\"embed_dim\" : 16", "\"embed_dim\" : 24"));
    var e = assertThrows(IOException.class, () -> Clip.load(folder.resolve("last")));
    assertTrue(e.getMessage().contains("another model"), e.getMessage());
  }

  @Test void unknownKeysAreNamed() {
    var e = assertThrows(IllegalArgumentException.class, () -> ClipConfig.parse(CONFIG.replace("head_width", "head_with")));
    assertTrue(e.getMessage().contains("head_with") && e.getMessage().contains("head_width"), e.getMessage());
  }
}
