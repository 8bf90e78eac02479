package jacquard.tests.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.clip.eval.Evaluation;
import jacquard.clip.eval.Ranking;
import jacquard.tensor.Device;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EvaluationTest {
  private static final Device CPU = Device.named("cpu");

  private static float[][] identity(int n) {
    var r = new float[n][n];
    for (int i = 0; i < n; i++) r[i][i] = 1;
    return r;
  }

  private static int[][] single(int... labels) {
    return IntStream.of(labels).mapToObj(l -> new int[] {l}).toArray(int[][]::new);
  }

  /// With unit vectors for names, a picture's features are its scores.
  private static Evaluation of(List<String> names, int[][] labels, float[][] scores) {
    return Evaluation.of(names, IntStream.range(0, scores.length).toArray(), labels, 0, scores, identity(names.size()),
        CPU);
  }

  /// "dog" has no image: it competes for every image, but nobody asks for its images.
  @Test void aNameWithoutImagesCompetesButIsNotAskedFor() {
    var e = of(List.of("cat", "dog", "tram"), single(0, 0, 2, 2),
        new float[][] {{3, 1, 0}, {1, 2, 0}, {0, 1, 2}, {2, 3, 1}});
    assertArrayEquals(new int[] {0, 2}, e.drawn());
    // the second and the last go to "dog"
    assertEquals(0.5, e.metrics().get("top1"));
    // each of the two names finds an image of its own first
    assertEquals(1.0, e.metrics().get("text_to_image_r1"));
    assertEquals(1 / 3.0, e.chance());
    assertEquals(List.of(0, 3), e.ranked(0, 2, true));
    assertEquals(List.of(2, 1), e.ranked(0, 2, false));
  }

  /// A model that gives the same features for everything knows nothing: of equal scores the lowest index wins, once for
  /// each.
  @Test void ofEqualScoresTheLowestIndexWins() {
    int n = 20;
    var constant = new float[n][3];
    for (var row : constant) row[0] = 1;
    var names = IntStream.range(0, n).mapToObj(i -> "n" + i).toList();
    var e = Evaluation.of(names, IntStream.range(0, n).toArray(), single(IntStream.range(0, n).toArray()), 0, constant,
        constant, CPU);
    assertEquals(1.0 / n, e.metrics().get("top1"));
    assertEquals(5.0 / n, e.metrics().get("top5"));
    assertEquals(1.0 / n, e.metrics().get("text_to_image_r1"));
    assertEquals(10.0 / n, e.metrics().get("text_to_image_r10"));
    assertEquals(List.of(0, 1, 2), e.ranked(7, 3, true));
    var ranking = Ranking.of(constant, constant, 5, CPU);
    assertEquals(1, ranking.rowRecall((_, name) -> name == 0, 1));
    assertEquals(0, ranking.rowRecall((_, name) -> name == 5, 5));
    assertEquals(1, ranking.columnRecall(new int[] {3, 19}, (picture, _) -> picture == 0, 1));
    assertEquals(0, ranking.columnRecall(new int[] {3, 19}, (picture, _) -> picture == 5, 5));
  }

  /// Features that are no numbers are never a hit, and are counted.
  @Test void whatIsNoNumberIsNoHit() {
    float nan = Float.NaN;
    var e = of(List.of("cat", "dog"), single(0, 1), new float[][] {{nan, nan}, {0, 1}});
    assertEquals(0.5, e.metrics().get("top1"));
    assertEquals(1, e.nonFinite());
  }

  /// Two pictures with two captions each: any caption of its own is a hit of a picture, and each picture stands among
  /// the ranked once.
  @Test void severalCaptionsAnImage() {
    var e = of(List.of("a", "b", "c", "d"), new int[][] {{0, 1}, {2, 3}}, new float[][] {{0, 3, 1, 2}, {9, 0, 5, 1}});
    // the first picture's best is "b", its second caption
    assertEquals(0.5, e.metrics().get("top1"));
    assertEquals(1.0, e.metrics().get("top5"));
    assertEquals(0.5, e.metrics().get("text_to_image_r1"));                        // "b" and "c" find theirs
    assertEquals(1.0, e.metrics().get("text_to_image_r5"));                        // there are only two pictures
    assertEquals(0.5, e.chance());
  }

  /// Across the borders of tiles: the same as sorting all scores, with many ties among them.
  @Test void tilesAgreeWithSorting() {
    int n = 600, m = 4500, d = 4;
    var random = new Random(3);
    float[][] a = new float[n][d], b = new float[m][d];
    for (var rows : List.of(a, b)) for (var row : rows) for (int k = 0; k < d; k++) row[k] = random.nextInt(3);
    var ranking = Ranking.of(a, b, 5, CPU);
    var scores = Ranking.scores(a, b, CPU);
    for (int[] at : new int[][] {{0, 0}, {255, 4095}, {256, 4096}, {599, 4499}}) {
      float dot = 0;
      for (int k = 0; k < d; k++) dot += a[at[0]][k] * b[at[1]][k];
      assertEquals(dot, scores[at[0]][at[1]]);
    }
    for (int k : new int[] {1, 5}) {
      boolean[][] hit = new boolean[n][m];
      for (int i = 0; i < n; i++) {
        float[] row = scores[i];
        IntStream.range(0, m).boxed().sorted((x, y) -> Float.compare(row[y], row[x])).limit(k)
            .forEach(j -> hit[Arrays.asList(scores).indexOf(row)][j] = true);
      }
      // Right is column i + 100 alone: the share of rows that have it among their best.
      long rows = IntStream.range(0, n).filter(i -> hit[i][i + 100]).count();
      assertEquals(rows / (double) n, ranking.rowRecall((i, j) -> j == i + 100, k));
      int[] some = IntStream.range(0, n).map(i -> i + 100).toArray();
      long columns = IntStream.of(some).filter(j -> {
        int above = 0;
        for (int i = 0; i < n; i++)
          if (scores[i][j] > scores[j - 100][j] || scores[i][j] == scores[j - 100][j] && i < j - 100) above++;
        return above < k;
      }).count();
      assertEquals(columns / (double) n, ranking.columnRecall(some, (i, j) -> j == i + 100, k));
    }
  }
}
