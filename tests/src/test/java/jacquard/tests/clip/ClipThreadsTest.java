package jacquard.tests.clip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import jacquard.clip.Clip;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.eval.Templates;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.Device;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// One [Clip], many threads: each gets the bits that it would get alone, on platform threads and on virtual ones, and
/// closing returns all memory.
class ClipThreadsTest {
  private static final String CONFIG = """
      {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}}""";
  private static final String[] TEXTS =
      {"a cat", "two dogs on a tram", "", "the quick brown fox jumps over the lazy dog", "naïve café"};

  private static Picture picture(int seed) {
    var random = Random.of(seed);
    int w = 20 + seed % 7 * 9, h = 60 - seed % 5 * 8;
    byte[] rgb = new byte[3 * w * h];
    for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) random.bits(i);
    return Picture.of(Mode.RGB, w, h, rgb);
  }

  @Test void everyThreadGetsTheSameBits(@TempDir Path folder) throws Exception {
    var device = Device.best();
    long before = device.live().blocks();
    Files.writeString(folder.resolve("open_clip_config.json"),
        "{\"model_cfg\": " + CONFIG + ", \"preprocess_cfg\": {}}");
    try (var _ = Scope.open(device)) {
      Checkpoint.save(ClipModel.create(ClipConfig.parse(CONFIG), 3), folder.resolve("open_clip_model.safetensors"));
    }
    var alone = new ArrayList<float[][]>();
    var clip = Clip.load(folder);
    try (clip) { for (var w : work(clip)) alone.add(w.call()); }
    // whose weights still lie in the file
    for (var pool : List.of(Executors.newFixedThreadPool(6), Executors.newVirtualThreadPerTaskExecutor()))
      try (pool; var fresh = Clip.load(folder)) {
      var work = work(fresh);
      var start = new CountDownLatch(1);
      var results = new ArrayList<Future<float[][]>>();
      for (int i = 0; i < 120; i++) {
        var w = work.get(i * 7 % work.size());
        results.add(pool.submit(() -> { start.await(); return w.call(); }));
      }
      start.countDown();
      for (int i = 0; i < results.size(); i++) {
        var expected = alone.get(i * 7 % work.size());
        for (int r = 0; r < expected.length; r++) assertArrayEquals(expected[r], results.get(i).get()[r]);
      }
    }
    assertEquals(before, device.live().blocks(), "blocks left over");
    assertThrows(IllegalStateException.class, () -> clip.embed("after the end"));
  }

  private static List<Callable<float[][]>> work(Clip clip) {
    var work = new ArrayList<Callable<float[][]>>();
    for (int i = 0; i < 4; i++) {
      int k = i;
      work.add(() -> clip.embed(TEXTS[k]));
      work.add(() -> clip.embed(picture(k)));
    }
    work.add(() -> clip.embed(TEXTS));
    work.add(() -> clip.embed(picture(1), picture(2), picture(3)));
    work.add(() -> clip.classifier(List.of("cat", "dog"), new Templates(List.of("a photo of a {}.", "a {}"))));
    work.add(() -> clip.classify(clip.embed(picture(5)), clip.embed(TEXTS)));
    return work;
  }
}
