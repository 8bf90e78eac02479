package jacquard.tests.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.report.Bars;
import jacquard.clip.report.Chart;
import jacquard.clip.report.Gallery;
import jacquard.clip.report.Theme;
import java.awt.image.BufferedImage;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ChartTest {
  private static final int BLUE = 0x2f6db5, GREEN = 0x23915f, RED = 0xcf4b4b;

  /// Series, and whether a linear and a logarithmic axis have a place for anything in them.
  record Case(String name, double[] y, boolean linear, boolean logarithmic) {
    @Override public String toString() { return name; }
  }

  static Stream<Case> series() {
    return Stream.of(new Case("empty", new double[0], false, false),
        new Case("one point", new double[] {3}, true, true),
        new Case("constant", new double[] {2, 2, 2}, true, true), new Case("zero", new double[] {0, 0}, true, false),
        new Case("only NaN", new double[] {Double.NaN, Double.NaN}, false, false),
        new Case("a gap", new double[] {1, 2, Double.NaN, 2, 1},
            true, true),
        new Case("infinite", new double[] {1, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 2}, true, true),
        new Case("huge", new double[] {-Double.MAX_VALUE, 0, Double.MAX_VALUE}, true, true),
        new Case("tiny", new double[] {Double.MIN_VALUE, 1e-310, 1e-300}, true, true),
        new Case("hardly apart", new double[] {1e17, 1e17 + 16}, true, true),
        new Case("negative", new double[] {-5, -1, -3}, true, false),
        new Case("many decades", new double[] {1e-12, 1, 1e12}, true, true));
  }

  @ParameterizedTest @MethodSource("series") void anySeriesIsDrawn(Case c) {
    assertTimeout(Duration.ofSeconds(20), () -> {
      for (boolean logarithmic : new boolean[] {false, true}) {
        var chart = Chart.of("Loss", "step", Chart.Series.of("training", c.y)).smoothed(0.5);
        var image = (logarithmic ? chart.onLogScale() : chart).draw(300, 200, Theme.LIGHT);
        assertEquals(600, image.getWidth());
        assertEquals(400, image.getHeight());
        // The legend has 26×8 pixels of the colour; whatever is more is the curve.
        boolean curve = count(image, BLUE, 90, 400) > 0;
        assertEquals(logarithmic ? c.logarithmic : c.linear, curve,
            c + (logarithmic ? " on a log scale" : "") + ": a curve is drawn");
        assertTrue(count(image, BLUE, 0, 90) > 50, "the legend shows the colour");
      }
    });
  }

  @Test void noSeriesAtAllAndNoRoomAtAll() {
    assertEquals(1280, Chart.of("", "").draw().getWidth());
    assertEquals(20, Chart.of("Loss", "step", Chart.Series.of("a", 1, 2)).draw(10, 10, Theme.DARK).getWidth());
    assertThrows(IllegalArgumentException.class, () -> Chart.of("Loss", "step").draw(0, 10, Theme.LIGHT));
  }

  @Test void refusesWhatCannotBeMeant() {
    assertThrows(IllegalArgumentException.class, () -> new Chart.Series("a", new double[2], new double[3]));
    assertThrows(IllegalArgumentException.class, () -> Chart.of("Loss", "step").smoothed(1));
    assertThrows(IllegalArgumentException.class, () -> Chart.of("Loss", "step").smoothed(Double.NaN));
  }

  @Test void aMillionPointsKeepTheirPeak() {
    double[] y = new double[1_000_000];
    y[700_123] = 1;
    var image = assertTimeout(Duration.ofSeconds(20), () -> Chart.of("Spike", "step", Chart.Series.of("a", y)).draw());
    // The spike is one pixel column wide and reaches through most of the plot.
    int column = IntStream.range(0, image.getWidth())
        .map(x -> (int) IntStream.range(110, 600).filter(i -> near(image.getRGB(x, i), BLUE,
        90)).count()).max().orElse(0);
    assertTrue(column > 400, "the peak is " + column + " pixels high");
  }

  @Test void theSamePictureTwice() {
    var chart = Chart.of("Loss", "step", Chart.Series.of("a", 3, 1, 2), Chart.Series.of("b", 1, 2, 3))
        .against("chance", 2.5);
    assertArrayEquals(pixels(chart.draw()), pixels(chart.draw()));
  }

  @Test void barsOfAnyValue() {
    for (double[] values : new double[][] {{}, {0}, {0.5, Double.NaN, -0.25}, {Double.MAX_VALUE, -Double.MAX_VALUE},
        {Double.POSITIVE_INFINITY, 1}}) {
      var bars = new Bars("Accuracy", Arrays.stream(values).mapToObj(v -> new Bars.Bar("猫 " + v, v, true)).toList(),
          List.of(new Chart.Level("chance", 0.1)), true);
      var image = bars.draw(320, Theme.LIGHT);
      assertEquals(640, image.getWidth());
      assertTrue(image.getHeight() < 600);
    }
    var ranked = new Bars("",
        List.of(new Bars.Bar("b", 1, false), new Bars.Bar("n", Double.NaN, false), new Bars.Bar("a", 2, false)),
        List.of(), false);
    assertEquals(List.of("a", "b", "n"), ranked.bars().stream().map(Bars.Bar::label).toList());
  }

  @Test void spritesStaySharpAndFramesTellRightFromWrong() {
    byte[] rgb = new byte[32 * 32 * 3];
    // a checker of red and green pixels
    for (int i = 0; i < 32 * 32; i++) rgb[3 * i + (i + i / 32) % 2] = (byte) 255;
    var right = Gallery.Shot.of(rgb, 32, 32, "cat", 0.9, true);
    var wrong = Gallery.Shot.of(rgb, 32, 32, "dog", 0.8, false);
    var image = gallery(List.of(right), List.of());
    assertEquals(192 * 192 / 2.0, count(image, 0xff0000, 0, image.getHeight(), 0), 400,
        "whole squares of pure colour, but for the mark in the corner");
    assertTrue(count(image, GREEN, 0, image.getHeight(), 8) > 500);
    assertEquals(0, count(image, RED, 0, image.getHeight(), 8));
    assertTrue(count(gallery(List.of(wrong), List.of()), RED, 0, 300, 8) > 500);
    assertEquals(0, count(gallery(List.of(), List.of(wrong)), RED, 0, 300, 8), "what does not belong is rightly last");
    assertTrue(count(gallery(List.of(), List.of(right)), RED, 0, 300, 8) > 500, "what does belong is wrongly last");
    assertThrows(IllegalArgumentException.class, () -> Gallery.Shot.of(rgb, 32, 31, "cat", 0, true));
  }

  @Test void captionsOfAnyScriptAndImagesOfAnyShape() {
    for (var caption : List.of("", "猫の笑顔", "قطة مبتسمة", "हँसती बिल्ली", "😹👩‍👩‍👧‍👦".repeat(100), "a\n\tb\u0000",
        "\ud83d",
        "é".repeat(5000))) {
      var shots = Stream.of(new int[] {1, 1}, new int[] {3, 500}, new int[] {2000, 7})
          .map(s -> new Gallery.Shot(new BufferedImage(s[0], s[1], BufferedImage.TYPE_INT_ARGB), caption, Double.NaN,
          true)).toList();
      var image =
          new Gallery(caption, List.of(new Gallery.Row(caption, shots, shots), new Gallery.Row(caption, List.of(),
          List.of()))).draw(Theme.DARK);
      assertTrue(image.getWidth() > 800 && image.getWidth() < 2000 && image.getHeight() < 1000);
    }
    assertTrue(new Gallery("none", List.of()).draw(Theme.LIGHT).getHeight() > 50);
  }

  private static BufferedImage gallery(List<Gallery.Shot> best, List<Gallery.Shot> worst) {
    return new Gallery("", List.of(new Gallery.Row("a cat", best, worst))).draw(Theme.LIGHT);
  }

  private static long count(BufferedImage image, int colour, int top, int bottom) {
    return count(image, colour, top, bottom, 24);
  }

  private static long count(BufferedImage image, int colour, int top, int bottom, int tolerance) {
    long count = 0;
    for (int y = top; y < Math.min(bottom, image.getHeight()); y++) {
      for (int x = 0; x < image.getWidth(); x++) if (near(image.getRGB(x, y), colour, tolerance)) count++;
    }
    return count;
  }

  private static boolean near(int a, int b, int tolerance) {
    for (int shift = 0; shift < 24; shift += 8)
      if (Math.abs((a >> shift & 255) - (b >> shift & 255)) > tolerance) return false;
    return true;
  }

  private static int[] pixels(BufferedImage image) { return image.getRGB(0, 0, image.getWidth(), image.getHeight(),
      null, 0,
      image.getWidth()); }
}
