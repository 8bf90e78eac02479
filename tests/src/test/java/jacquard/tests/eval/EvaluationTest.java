package jacquard.tests.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.clip.eval.Evaluation;
import java.util.List;
import org.junit.jupiter.api.Test;

class EvaluationTest {
  /// "dog" has no image: it competes for every image, but nobody asks for its images.
  @Test void aNameWithoutImagesCompetesButIsNotAskedFor() {
    var e = new Evaluation(List.of("cat", "dog", "tram"), new int[] {0, 1, 2, 3}, new int[] {0, 0, 2, 2}, new float[][] {{3, 1, 0}, {1, 2, 0}, {0, 1, 2}, {2, 3, 1}});
    assertArrayEquals(new int[] {0, 2}, e.drawn());
    assertEquals(0.5, e.metrics().get("top1"));                                    // the second and the last go to "dog"
    assertEquals(1.0, e.metrics().get("text_to_image_r1"));                        // each of the two names finds an image of its own first
    assertEquals(1 / 3.0, e.chance());
  }
}
