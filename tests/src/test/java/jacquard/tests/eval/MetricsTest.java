package jacquard.tests.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.eval.captioning.PennTreebank;
import jacquard.clip.eval.metrics.Accuracy;
import jacquard.clip.eval.metrics.AveragePrecision;
import jacquard.clip.eval.metrics.Bootstrap;
import jacquard.clip.eval.metrics.Calibration;
import jacquard.clip.eval.metrics.Classifier;
import jacquard.clip.eval.metrics.Predictions;
import jacquard.clip.eval.metrics.Selection;
import jacquard.clip.eval.probe.Features;
import jacquard.clip.eval.probe.Neighbours;
import jacquard.clip.eval.probe.Span;
import jacquard.tensor.Device;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What the recorded values do not show: ties, what is left out, what is no number.
class MetricsTest {
  @Test void ofEqualLogitsTheLowestClassStandsFirst() {
    assertArrayEquals(new int[] {1, 2, 0}, Predictions.top(new float[] {1, 3, 3}, 5));
    assertArrayEquals(new int[] {0, 2}, Predictions.top(new float[] {1, Float.NaN, 1}, 3));
    assertArrayEquals(new int[] {-1}, Predictions.of(new float[][] {{Float.NaN}}).first());
  }

  /// A class that no label has counts nowhere; answers into it are only wrong.
  @Test void classesThatDoNotOccurAreLeftOut() {
    int[] labels = {0, 0, 2, 2}, predicted = {0, 1, 2, 2};
    assertEquals(0.75, Accuracy.meanPerClass(predicted, labels));
    assertEquals((2.0 / 3 + 1) / 2, Accuracy.meanF1(predicted, labels), 1e-12);
    assertEquals(Map.of(0, 0.5, 2, 1.0), Accuracy.byGroup(Accuracy.right(predicted, labels), labels));
  }

  @Test void calibration() {
    var right = new boolean[] {true, true, false, false};
    assertEquals(0, Calibration.error(new float[] {0.5f, 0.5f, 0.5f, 0.5f}, right), 1e-7);
    assertEquals(0.5, Calibration.error(new float[] {1, 1, 1, 1}, right), 1e-7);
    assertEquals(0.5, Calibration.error(new float[] {0, 0, 0, 0}, right), 1e-7);
  }

  /// A share of one half of 400 has a standard error of 0.025, and 95 % lie within 1.96 of them.
  @Test void intervalsAreThoseOfABinomial() {
    var right = new boolean[400];
    for (int i = 0; i < 200; i++) right[i] = true;
    var i = Bootstrap.of(right);
    assertEquals(0.5 - 1.96 * 0.025, i.low(), 0.006);
    assertEquals(0.5 + 1.96 * 0.025, i.high(), 0.006);
    assertEquals(i, Bootstrap.of(right));
    var labels = new int[400];
    for (int k = 0; k < 200; k++) labels[k] = k % 2;
    assertTrue(Bootstrap.perClass(right, labels).low() > i.low(), "class 1 is always right");
  }

  @Test void averagePrecision() {
    float[] scores = {4, 3, 2, 1};
    assertEquals((1 + 2.0 / 3) / 2, AveragePrecision.of(scores, new boolean[] {true, false, true, false}), 1e-12);
    assertEquals(0, AveragePrecision.of(scores, new boolean[4]));
    assertEquals(1, AveragePrecision.of(new float[] {1, 1}, new boolean[] {true, false}),
        "of equal ones the first leads");
    var last = new boolean[] {false, false, false, true};
    assertEquals(0.25, AveragePrecision.elevenPoint(scores, last), 1e-12);
    assertEquals((1 + 10 * 0.25) / 11, AveragePrecision.elevenPointFromOne(scores, last), 1e-12);
    assertEquals(0, AveragePrecision.rocArea(scores, last));
    assertEquals(0.5, AveragePrecision.rocArea(new float[4], last));
    assertTrue(Double.isNaN(AveragePrecision.rocArea(scores, new boolean[4])));
  }

  /// A caption as near as its negative counts as right, as CLIP_benchmark has it.
  @Test void theFirstOfEqualCaptionsIsPicked() {
    assertTrue(Selection.captionsPicked(new float[][] {{1, 1}}));
    assertFalse(Selection.captionsPicked(new float[][] {{1, 1}, {1, 1}}));
    assertFalse(Selection.captionsPicked(new float[][] {{Float.NaN, 1}}));
    assertTrue(Selection.picturesPicked(new float[][] {{0, 5}}), "one picture is the best of one");
    assertEquals(1 / 3.0, Selection.jaccard(new float[] {3, 2, 2, 0}, new boolean[] {true, true, false, false}), 1e-12);
  }

  @Test void shotsKeepTheOrderDrawn() {
    var f = new Features(new float[][] {{0}, {1}, {2}, {3}, {4}}, new int[] {0, 0, 1, 1, 1});
    var two = f.shots(2, new int[] {4, 0, 2, 3, 1});
    assertArrayEquals(new int[] {1, 0, 1, 0}, two.labels());
    assertEquals(4, two.rows()[0][0]);
    assertEquals(5, f.shots(-1, new int[] {4, 0, 2, 3, 1}).size());
    var e = assertThrows(IllegalArgumentException.class, () -> f.shots(3, new int[] {4, 0, 2, 3, 1}));
    assertEquals("class 0 has 2 samples, expected 3 for as many shots", e.getMessage());
  }

  /// Of equal accuracies the first tried wins; a sweep of nothing but zeros answers the smallest value.
  @Test void spans() {
    assertEquals(1e-6, Span.DECAYS.search(_ -> 0).best(), 1e-18);
    assertEquals(1e-6, Span.DECAYS.search(_ -> 0.5).best(), 1e-18);
    var found = Span.DECAYS.search(d -> 1 / (1 + Math.abs(Math.log10(d) + 1.25)));
    assertEquals(Math.pow(10, -1.25), found.best(), 1e-9);
    assertEquals(19, found.tried().size());
  }

  @Test void neighboursVote() {
    var train = new Features(new float[][] {{1, 0}, {1, 0}, {0, 1}}, new int[] {2, 2, 0});
    var votes = new Neighbours(2, 0.07).votes(train, new float[][] {{0.8f, 0.6f}, {0, 1}}, 3, Device.named("cpu"));
    assertArrayEquals(new int[] {2, 0}, Predictions.of(votes).first());
  }

  @Test void aClassWithoutASentence() {
    assertThrows(IllegalArgumentException.class, () -> Classifier.of(new float[][] {{1}}, new int[] {0, 1, 1}));
    assertArrayEquals(new float[] {0, 0}, Classifier.normalised(new float[] {0, 0}));
  }

  @Test void words() {
    for (var e : Map.of("He says no. Then", "he says no then", "The dogs' toys aren't theirs",
        "the dogs toys are n't theirs",
        "", "", "“Hello,” she said – twice", "hello she said twice", "Mr. X's 3 cats", "mr. x 's 3 cats").entrySet())
      assertEquals(e.getValue(), PennTreebank.words(e.getKey()));
    assertEquals(List.of("can not", "gon na"), List.of(PennTreebank.words("cannot"), PennTreebank.words("gonna")));
  }
}
