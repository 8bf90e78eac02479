package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.Clip;
import jacquard.clip.data.Batches;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.clip.train.Gradients;
import jacquard.clip.train.task.Match;
import jacquard.tensor.Device;
import jacquard.tensor.Pass;
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

  private static Setup setup() { return new Setup(CONFIG); }

  /// A run that stops after step 4 and is resumed ends with the bytes of one that went through.
  @Test void resumeGivesTheSameBits(@TempDir Path folder) throws IOException {
    setup().begin(folder.resolve("whole"), 8);
    setup().begin(folder.resolve("parts"), 4);
    setup().resume(folder.resolve("parts"), 8);
    for (var f : List.of("resume.safetensors", "last/open_clip_model.safetensors"))
      assertEquals(-1, Files.mismatch(folder.resolve("whole").resolve(f), folder.resolve("parts").resolve(f)), f);
  }

  /// Without clipping gradients are used as soon as they are there: the bytes of a run whose limit is never reached,
  /// which has all gradients first.
  @Test void gradientsUsedInGroupsGiveTheSameBits(@TempDir Path folder) throws IOException {
    setup().clip(1e30).begin(folder.resolve("together"), 4);
    setup().clip(0).begin(folder.resolve("in groups"), 4);
    assertEquals(-1, Files.mismatch(folder.resolve("together/resume.safetensors"),
        folder.resolve("in groups/resume.safetensors")));
  }

  @Test void aFolderInUseIsRefused(@TempDir Path folder) throws IOException {
    setup().begin(folder, 4);
    assertTrue(assertThrows(IOException.class, () -> setup().begin(folder, 4)).getMessage().contains("--resume"));
  }

  /// Micro-batches give the gradient of the joined batch, logit scale included. Their sums associate otherwise: √n·ε of
  /// gradients of about 1 is 1e-6; bound by 1e-5 of the largest.
  @Test void accumulationIsExact() throws IOException {
    var config = ClipConfig.parse(CONFIG.replace("0.25", "0"));
    try (var _ = Scope.open(Device.best())) {
      var task = new Match(ClipModel.create(config, 1), Match.Loss.SOFTMAX);
      var batch = new Batches(EmojiSource.training(), new Transform(HubConfig.preprocess(config)), Augmentation.DEFAULT,
          16, 8, 1).at(0);
      var whole = Gradients.of(task, batch, 1, Pass.training(Random.of(1)));
      var parts = Gradients.of(task, batch, 3, Pass.training(Random.of(1)));
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
    setup().begin(folder, 4);
    try (var clip = Clip.load(folder.resolve("last"))) {
      float[] expected = clip.embed("cat face")[0];
      var threads = new Thread[4];
      var wrong = new java.util.concurrent.atomic.AtomicInteger();
      for (int t = 0; t < threads.length; t++) (threads[t] = new Thread(() -> {
        for (int i = 0; i < 20; i++)
          if (!java.util.Arrays.equals(expected, clip.embed("cat face")[0])) wrong.incrementAndGet();
      })).start();
      for (var t : threads) t.join();
      assertEquals(0, wrong.get());
    }
  }

  @Test void aCheckpointOfAnotherModelIsNamed(@TempDir Path folder) throws IOException {
    setup().begin(folder, 4);
    var file = folder.resolve("last/open_clip_config.json");
    Files.writeString(file, Files.readString(file).replace("\"embed_dim\" : 16", "\"embed_dim\" : 24"));
    var e = assertThrows(IOException.class, () -> Clip.load(folder.resolve("last")));
    assertTrue(e.getMessage().contains("another model"), e.getMessage());
  }

  @Test void unknownKeysAreNamed() {
    var e = assertThrows(IllegalArgumentException.class, () ->
        ClipConfig.parse(CONFIG.replace("head_width", "head_with")));
    assertTrue(e.getMessage().contains("head_with") && e.getMessage().contains("head_width"), e.getMessage());
  }
}
