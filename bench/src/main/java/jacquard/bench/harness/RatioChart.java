package jacquard.bench.harness;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;

/// The picture of a run: for each work a dot at its ratio on a log scale, with its spread and a tick where we want it,
/// and a bar of its share of the machine's peak.
final class RatioChart {
  private static final int ROW = 22, LEFT = 560, RATIOS = 520, GAP = 100, SHARES = 240, RIGHT = 130, TOP = 96, DENSITY =
      2;
  private static final Color INK = new Color(0x22262b), FAINT = new Color(0x8a929b), GRID = new Color(0xe4e7ea), AHEAD =
      new Color(0x1b7f5c), BEHIND = new Color(0xc2452d), BAR = new Color(0x3a6ea5);
  private static final Font PLAIN = new Font(Font.SANS_SERIF, Font.PLAIN, 12), SMALL = PLAIN.deriveFont(11f), BOLD =
      PLAIN.deriveFont(Font.BOLD, 15f);

  private final Graphics2D g;
  private final double low, high;

  private RatioChart(Graphics2D g, double low, double high) {
    this.g = g;
    this.low = low;
    this.high = high;
  }

  static void write(List<Result> results, Machine machine, Path file) throws IOException {
    int width = LEFT + RATIOS + GAP + SHARES + RIGHT, height = TOP + ROW * results.size() + 40;
    var image = new BufferedImage(width * DENSITY, height * DENSITY, BufferedImage.TYPE_INT_RGB);
    var g = image.createGraphics();
    g.scale(DENSITY, DENSITY);
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, width, height);
    // ratios and targets decide the scale; a spread that leaves it is cut
    double low = results.stream().mapToDouble(r -> Math.min(r.ratio(), 0.8)).min().orElse(1), high = results.stream()
        .mapToDouble(r -> Math.max(r.ratio(), r.work().target() > 2 ? r.work().target() : 2)).max().orElse(2);
    new RatioChart(g, Math.max(0.02, low / 1.3), high * 1.3).draw(results, machine, height);
    g.dispose();
    ImageIO.write(image, "png", file.toFile());
  }

  private void draw(List<Result> results, Machine machine, int height) {
    text("Jacquard beside its peers", 20, 28, BOLD, INK);
    text(machine.toString(), 20, 48, SMALL, FAINT);
    text("ratio, right of 1: Jacquard is faster or smaller; tick: target; line: spread", LEFT, 70, SMALL, FAINT);
    text("share of the measured peak (multiply-add or bandwidth)", LEFT + RATIOS + GAP, 70, SMALL, FAINT);
    int bottom = TOP + ROW * results.size();
    for (double mark : new double[] {0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000})
      if (mark >= low && mark <= high) {
        line(x(mark), TOP - 6, x(mark), bottom, mark == 1 ? INK : GRID, mark == 1 ? 1.4 : 1);
        centred(mark >= 1 ? Integer.toString((int) mark) : Double.toString(mark), x(mark), TOP - 10);
      }
    for (int p = 0; p <= 100; p += 25) {
      double at = LEFT + RATIOS + GAP + SHARES * p / 100.0;
      line(at, TOP - 6, at, bottom, GRID, 1);
      centred(p + " %", at, TOP - 10);
    }
    String before = "";
    for (int i = 0; i < results.size(); i++) {
      var r = results.get(i);
      double y = TOP + ROW * i + ROW / 2.0;
      var family = r.work().name().split(" ")[0];
      if (!family.equals(before) && i > 0)
        line(20, y - ROW / 2.0, LEFT + RATIOS + GAP + SHARES, y - ROW / 2.0, FAINT, 0.7);
      before = family;
      right(r.work().name() + ", " + r.threads() + (r.threads() == 1 ? " thread" : " threads") + " | "
          + r.work().peer(), LEFT - 16, y + 4);
      var colour = r.ratio() >= 1 ? AHEAD : BEHIND;
      line(x(r.low()), y, x(r.high()), y, colour, 1.5);
      if (!Double.isNaN(r.work().target())) line(x(r.work().target()), y - 7, x(r.work().target()), y + 7, INK, 2);
      g.setColor(colour);
      g.fill(new Ellipse2D.Double(x(r.ratio()) - 4.5, y - 4.5, 9, 9));
      text(Result.number(r.ratio()), LEFT + RATIOS + 8, y + 4, SMALL, colour);
      if (r.share() == 0) continue;
      g.setColor(BAR);
      g.fill(new Rectangle2D.Double(LEFT + RATIOS + GAP, y - 5, SHARES * Math.min(1, r.share()), 10));
      text(String.format(Locale.ROOT, "%.0f", 100 * r.share()),
          LEFT + RATIOS + GAP + SHARES * Math.min(1, r.share()) + 6, y + 4, SMALL, INK);
    }
  }

  private double x(double ratio) {
    return LEFT + RATIOS * Math.log(Math.clamp(ratio, low, high) / low) / Math.log(high / low);
  }

  private void line(double x1, double y1, double x2, double y2, Color colour, double width) {
    g.setColor(colour);
    g.setStroke(new BasicStroke((float) width));
    g.draw(new Line2D.Double(x1, y1, x2, y2));
  }

  private void text(String s, double x, double y, Font font, Color colour) {
    g.setFont(font);
    g.setColor(colour);
    g.drawString(s, (float) x, (float) y);
  }

  private void right(String s, double x, double y) {
    text(s, x - g.getFontMetrics(PLAIN).stringWidth(s), y, PLAIN, INK);
  }
  private void centred(String s, double x, double y) {
    text(s, x - g.getFontMetrics(SMALL).stringWidth(s) / 2.0, y, SMALL, FAINT);
  }
}
