package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.data.source.Source;
import jacquard.clip.image.Picture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Data that go away while a run is under way.
class VanishedDataTest {
  private static final String CONFIG = """
      {"embed_dim": 8, "vision_cfg": {"image_size": 16, "layers": 1, "width": 8, "head_width": 8, "patch_size": 8},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 8, "heads": 1, "layers": 1}}""";

  /// Emoji of which no more can be read after so many steps of 16, but those of the steps that come back.
  private static Source gone(long after, Set<Long> back) {
    var emoji = EmojiSource.training();
    var read = new AtomicLong();
    return new Source() {
      @Override public String name() { return emoji.name(); }
      @Override public int size() { return emoji.size(); }
      @Override public String caption(int index) { return emoji.caption(index); }
      @Override public Picture picture(int index) throws IOException {
        long step = read.getAndIncrement() / 16;
        if (step >= after && !back.contains(step)) throw new IOException("there.tar: no such file or folder");
        return emoji.picture(index);
      }
    };
  }

  /// Ten steps in a row without a sample end a run, which goes on from its last checkpoint when the data are back.
  @Test void aRunEndsWhereNothingIsLeft(@TempDir Path folder) throws IOException {
    var e = assertThrows(IOException.class, () -> new Setup(CONFIG).source(gone(6, Set.of())).begin(folder, 40));
    assertTrue(e.getMessage().contains("none of the samples of the steps 6 to 15 could be read; the first that could "
        + "not: there.tar: no such file or folder. Bring the data back and go on with --resume"), e.getMessage());
    new Setup(CONFIG).resume(folder, 20);
    try (var last = Safetensors.open(folder.resolve("resume.safetensors"))) {
      assertEquals("20", last.metadata().get("step"));
    }
  }

  /// Fewer are left out.
  @Test void aRunGoesOnWhereSomeComeBack(@TempDir Path folder) throws IOException {
    new Setup(CONFIG).source(gone(2, Set.of(9L, 16L))).begin(folder, 18);
  }
}
