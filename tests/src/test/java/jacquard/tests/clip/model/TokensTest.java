package jacquard.tests.clip.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.clip.nn.PatchDropout;
import jacquard.clip.nn.Pooling;
import jacquard.tensor.Device;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Which tokens an image tower keeps, and which it pools.
class TokensTest {
  private static final int IMAGES = 2000, PATCHES = 9;

  private static int[] positions(Sequences s, int image) {
    return Arrays.copyOfRange(s.positions(), s.from(image), s.to(image));
  }

  /// Two sequences, a class token before 2 and before 3 patches: the class tokens are in no mean.
  @Test void aMeanOverPatchesLeavesOutTheClassToken() {
    try (var _ = Scope.open(Device.named("cpu"))) {
      var x = Tensor.of(Shape.of(7, 1), new float[] {1000, 2, 4, 1000, 3, 6, 12});
      assertArrayEquals(new float[] {3, 7}, Pooling.mean(x, Sequences.ofLengths(3, 4), 1).floats(), 1e-6f);
    }
  }

  /// In training the class token stays, and of 9 patches 4, in order. Each patch is as likely as another: 4/9 of 2,000
  /// times, give or take five standard deviations of 22.
  @Test void everyPatchMayStay() {
    var kept = Pass.training(Random.of(1)).call(() -> PatchDropout.kept(IMAGES, PATCHES, 1, 0.5));
    int[] times = new int[PATCHES + 1];
    for (int i = 0; i < IMAGES; i++) {
      int[] p = positions(kept, i);
      assertEquals(5, p.length);
      assertArrayEquals(Arrays.stream(p).distinct().sorted().toArray(), p);
      for (int at : p) times[at]++;
    }
    assertEquals(IMAGES, times[0]);
    for (int p = 1; p <= PATCHES; p++) assertEquals(IMAGES * 4 / 9.0, times[p], 110, "patch " + p + " of " + PATCHES);
  }

  /// In evaluation all stay.
  @Test void evaluationDropsNoPatch() {
    var all = PatchDropout.kept(3, PATCHES, 1, 0.5);
    for (int i = 0; i < 3; i++) assertArrayEquals(IntStream.rangeClosed(0, PATCHES).toArray(), positions(all, i));
  }
}
