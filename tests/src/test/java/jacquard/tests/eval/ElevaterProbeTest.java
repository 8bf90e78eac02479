package jacquard.tests.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.eval.metrics.Predictions;
import jacquard.clip.eval.probe.ElevaterProbe;
import jacquard.clip.eval.probe.Features;
import jacquard.clip.eval.probe.LinearProbe;
import jacquard.tensor.Device;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ElevaterProbeTest {
  private static final Device CPU = Device.named("cpu");
  private static final int[] ORDER = {3, 1, 4, 0, 5, 9, 2, 6, 8, 7, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};

  private static float[][] sines(int n) {
    var r = new float[n][3];
    for (int i = 0; i < n; i++) for (int k = 0; k < 3; k++) r[i][k] = (float) Math.sin(1.3 * (i * 3 + k));
    return r;
  }

  private static LinearProbe.Head start() {
    var w = new float[9];
    for (int i = 0; i < 9; i++) w[i] = (float) Math.cos(0.7 * i);
    return new LinearProbe.Head(w, new float[3]);
  }

  /// Two epochs of ten samples in batches of four, as `BatchNorm1d(affine=False)`, `Linear`, `CrossEntropyLoss` and
  /// `SGD(lr=.1, momentum=.9, nesterov=True, weight_decay=.01)` of PyTorch 2.15 train them.
  @Test void theTrainingIsPyTorchs() {
    var data = new Features(sines(10), IntStream.range(0, 10).map(i -> i * i % 3).toArray());
    var trained = new ElevaterProbe(4, 2, 0, 0, CPU).train(data, start(), 0.1, 0.01, ORDER);
    float[][] logits = trained.logits(sines(3), CPU);
    assertArrayEquals(new float[] {0.766235f, -0.320562f, -0.432136f}, logits[0], 2e-6f);
    assertArrayEquals(new float[] {-0.150928f, 0.666022f, -0.525145f}, logits[1], 2e-6f);
    assertArrayEquals(new float[] {-0.245825f, 1.133823f, -0.888149f}, logits[2], 2e-6f);
  }

  /// What can be told apart is: the rate and decay that were chosen are of the values to choose among.
  @Test void rateAndDecayAreChosen() {
    var rows = new float[60][3];
    for (int i = 0; i < 60; i++) for (int k = 0; k < 3; k++)
      rows[i][k] = (i % 3 == k ? 1 : 0) + 0.3f * (float) Math.sin(i * 7 + k);
    var all = new Features(rows, IntStream.range(0, 60).map(i -> i % 3).toArray());
    var found = new ElevaterProbe(8, 2, 2, 0, CPU).fit(all.at(IntStream.range(0, 45).toArray()),
        all.at(IntStream.range(45, 60).toArray()), 3, null);
    var right = Predictions.of(found.trained().logits(rows, CPU)).hits(all.labels(), 1);
    int n = 0;
    for (boolean r : right) if (r) n++;
    assertTrue(n > 54, n + " of 60");
    double exponent = Math.log10(found.rate());
    assertEquals(Math.rint(exponent), exponent, 1e-9);
    assertTrue(exponent >= -6 && exponent <= -1 && found.decay() > 0);
  }
}
