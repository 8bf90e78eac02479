package jacquard.tests.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Failures;
import jacquard.clip.image.ImageException;
import jacquard.clip.image.Picture;
import jacquard.clip.image.Pixels;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

/// Pictures that do not fit into memory beside others.
class CrowdedMemoryTest {
  private static final int BESIDE = 1, NEVER = 2, READER = 3;

  /// The first time or each time there is no memory, in the reader or by its refusal.
  private record Large(AtomicIntegerArray tries) implements Embedder.Pictures {
    @Override public Picture at(int index) throws ImageException {
      int tried = tries.incrementAndGet(index);
      var none = new OutOfMemoryError("Java heap space");
      if (index == BESIDE && tried == 1 || index == NEVER) throw none;
      if (index == READER && tried == 1) throw new ImageException("large.png", "takes more memory", none);
      return new Pixels(40, 40, new byte[40 * 40 * 3]).picture();
    }

    @Override public String name(int index) { return "large" + index + ".png"; }
  }

  @Test void isTriedAloneAndThenLeftOut() {
    var config = ClipConfig.parse("""
        {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
         "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2}}""");
    try (var _ = Scope.open(Device.best())) {
      var embedder = new Embedder(ClipModel.create(config, 1), new Transform(HubConfig.preprocess(config)), 4);
      var failures = new Failures();
      var tries = new AtomicIntegerArray(6);
      float[][] rows = embedder.readable(6, new Large(tries), failures, Advance.UNHEARD);
      for (int i = 0; i < 6; i++) if (i != NEVER) assertNotNull(rows[i], "picture " + i);
      assertNull(rows[NEVER]);
      assertEquals(1, failures.count());
      assertTrue(failures.first().startsWith("large2.png: takes more memory than there is; give the JVM more"),
          failures.first());
      assertEquals(2, tries.get(READER));
      assertEquals(1, tries.get(0));
    }
  }
}
