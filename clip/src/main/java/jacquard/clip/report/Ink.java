package jacquard.clip.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.GraphicsEnvironment;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.geom.RoundRectangle2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.text.BreakIterator;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/// A pen on a picture of twice the given size, so that it stays sharp on dense screens. Coordinates are in points,
/// half-pixels of the image.
public final class Ink {
  enum Align { LEFT, CENTRE, RIGHT }

  static final int DENSITY = 2, LONGEST = 30_000;
  private static final Map<String, Optional<Font>> OTHERS = new ConcurrentHashMap<>();
  private static final boolean WRITES = writes();

  final BufferedImage image;
  final Theme theme;
  private final Graphics2D g;

  Ink(double width, double height, Theme theme) {
    int w = size(width, "width"), h = size(height, "height");
    this.theme = theme;
    image = new BufferedImage(w, h, BufferedImage.TYPE_INT_RGB);
    g = image.createGraphics();
    g.setColor(theme.paper);
    g.fillRect(0, 0, w, h);
    g.scale(DENSITY, DENSITY);
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setRenderingHint(RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
    g.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
  }

  private static int size(double points, String what) {
    double pixels = Math.ceil(points * DENSITY);
    if (!(pixels >= 1 && pixels <= LONGEST)) {
      throw new IllegalArgumentException("a picture of " + what + " " + points + ": expected up to " + LONGEST / DENSITY
          + " points");
    }
    return (int) pixels;
  }

  static Font plain(double size) { return new Font(Font.SANS_SERIF, Font.PLAIN, 1).deriveFont((float) size); }

  static Font bold(double size) { return new Font(Font.SANS_SERIF, Font.BOLD, 1).deriveFont((float) size); }

  /// Writes one line with its baseline at `y`; line breaks and control characters become spaces.
  void text(String text, double x, double y, Font font, Color colour, Align align) {
    if (!WRITES) return;
    String line = clean(text);
    if (line.isEmpty()) return;
    var able = able(line, font);
    double left = switch (align) { case LEFT -> x; case CENTRE -> x - width(line, font) / 2;
        case RIGHT -> x - width(line, font); };
    g.setFont(able);
    g.setColor(colour);
    g.drawString(line, (float) left, (float) y);
  }

  void text(String text, double x, double y, Font font, Color colour) { text(text, x, y, font, colour, Align.LEFT); }

  double width(String text, Font font) {
    String line = clean(text);
    if (!WRITES || line.isEmpty()) return line.length() * font.getSize2D() * 0.55;
    return able(line, font).getStringBounds(line, g.getFontRenderContext()).getWidth();
  }

  /// The text, or as much of its beginning as fits, with an ellipsis; cut between characters as people see them.
  String fit(String text, double room, Font font) {
    String line = clean(text);
    if (width(line, font) <= room) return line;
    var breaks = BreakIterator.getCharacterInstance(Locale.ROOT);
    breaks.setText(line);
    int low = 0, high = line.length();
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (width(line.substring(0, cut(breaks, middle)) + "…", font) <= room) low = middle;
      else high = middle - 1;
    }
    int end = cut(breaks, low);
    return end == 0 ? "" : line.substring(0, end).stripTrailing() + "…";
  }

  private static int cut(BreakIterator breaks, int at) { return breaks.isBoundary(at) ? at : breaks.preceding(at); }

  void line(double x1, double y1, double x2, double y2, Color colour, double width, float... dashes) {
    stroke(new Line2D.Double(x1, y1, x2, y2), colour, width, dashes);
  }

  void stroke(Shape shape, Color colour, double width, float... dashes) {
    g.setColor(colour);
    g.setStroke(new BasicStroke((float) width, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND, 1, dashes.length == 0
        ? null : dashes, 0));
    g.draw(shape);
  }

  void fill(Shape shape, Color colour) {
    g.setColor(colour);
    g.fill(shape);
  }

  void fill(double x, double y, double w, double h, double radius, Color colour) {
    fill(new RoundRectangle2D.Double(x, y, w, h, 2 * radius, 2 * radius), colour);
  }

  /// Runs an action that draws only within a rectangle.
  void within(double x, double y, double w, double h, Runnable action) {
    var before = g.getClip();
    g.clip(new Rectangle2D.Double(x, y, w, h));
    action.run();
    g.setClip(before);
  }

  /// A tick or a cross in a disc, drawn and not written, since few fonts have them.
  void mark(double x, double y, double radius, boolean tick, Color colour) {
    fill(x - radius - 1, y - radius - 1, 2 * radius + 2, 2 * radius + 2, radius + 1, theme.paper);
    fill(x - radius, y - radius, 2 * radius, 2 * radius, radius, colour);
    var path = new Path2D.Double();
    double r = radius * 0.45;
    path.moveTo(x - r, tick ? y : y - r);
    if (tick) path.lineTo(x - r * 0.25, y + r * 0.8);
    path.lineTo(x + r, tick ? y - r * 0.8 : y + r);
    if (!tick) {
      path.moveTo(x - r, y + r);
      path.lineTo(x + r, y - r);
    }
    stroke(path, theme.paper, radius * 0.3);
  }

  /// Draws an image as large as fits into a square, centred: small ones enlarged by a whole factor so that every pixel
  /// stays a square, large ones averaged down.
  void image(BufferedImage picture, double x, double y, double side) {
    int room = (int) Math.round(side * DENSITY), longest = Math.max(picture.getWidth(), picture.getHeight());
    double factor = longest <= room ? room / longest : (double) room / longest;
    int w = Math.max(1, (int) Math.round(picture.getWidth() * factor)), h =
        Math.max(1, (int) Math.round(picture.getHeight() * factor));
    var scaled = picture;
    while (scaled.getWidth() >= 2 * w && scaled.getHeight() >= 2 * h) scaled = halved(scaled);
    AffineTransform before = g.getTransform();
    int left = (int) Math.round(x * DENSITY) + (room - w) / 2, top = (int) Math.round(y * DENSITY) + (room - h) / 2;
    g.setTransform(new AffineTransform());
    g.setRenderingHint(RenderingHints.KEY_INTERPOLATION, factor >= 1
        ? RenderingHints.VALUE_INTERPOLATION_NEAREST_NEIGHBOR
        : RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    g.drawImage(scaled, left, top, w, h, null);
    g.setTransform(before);
  }

  private static BufferedImage halved(BufferedImage from) {
    var half = new BufferedImage(Math.max(1, from.getWidth() / 2), Math.max(1, from.getHeight() / 2),
        BufferedImage.TYPE_INT_ARGB);
    var g = half.createGraphics();
    g.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    g.drawImage(from, 0, 0, half.getWidth(), half.getHeight(), null);
    g.dispose();
    return half;
  }

  public static byte[] png(BufferedImage image) {
    var bytes = new ByteArrayOutputStream();
    // Not through ImageIO's file cache: that needs a shutdown hook, which a run that is being stopped cannot have any
    // more.
    try (var stream = new MemoryCacheImageOutputStream(bytes)) {
      if (!ImageIO.write(image, "png", stream)) throw new IOException("no writer of PNG takes " + image);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write a PNG", e);
    }
    return bytes.toByteArray();
  }

  private static String clean(String text) {
    return text == null ? "" : text.replaceAll("[\\p{Cntrl}\\u2028\\u2029]+", " ").strip();
  }

  /// The font itself, or the first one installed that has all characters of a text; without one, missing characters are
  /// drawn as boxes.
  private static Font able(String text, Font font) {
    if (font.canDisplayUpTo(text) < 0) return font;
    if (OTHERS.size() > 4096) OTHERS.clear();
    return OTHERS.computeIfAbsent(text, Ink::other).map(f -> f.deriveFont(font.getStyle(), font.getSize2D()))
        .orElse(font);
  }

  private static Optional<Font> other(String text) {
    for (var font : GraphicsEnvironment.getLocalGraphicsEnvironment().getAllFonts()) {
      if (font.canDisplayUpTo(text) < 0) return Optional.of(font);
    }
    return Optional.empty();
  }

  /// Whether there are fonts at all: a bare container may lack them, and a picture without words is better than none.
  private static boolean writes() {
    try {
      return plain(12).canDisplay('a')
          && GraphicsEnvironment.getLocalGraphicsEnvironment().getAvailableFontFamilyNames().length > 0;
    } catch (RuntimeException | LinkageError | InternalError e) {
      System.getLogger(Ink.class.getName())
          .log(System.Logger.Level.WARNING, "no fonts are installed: pictures are drawn without words", e);
      return false;
    }
  }
}
