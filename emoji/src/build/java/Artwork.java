import com.github.weisj.jsvg.parser.LoaderContext;
import com.github.weisj.jsvg.parser.SVGLoader;
import com.github.weisj.jsvg.view.ViewBox;
import java.awt.Color;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import javax.imageio.ImageIO;

/// Drawings at 32×32 on white: each is laid on white at a multiple of that size, then every square of pixels is
/// averaged. White comes before the average, so that a transparent pixel weighs nothing, whatever colour it hides.
final class Artwork {
  static final int SIZE = 32, OVER = 4;

  private Artwork() {}

  /// An icon of an Iconify set; null where it is no SVG that can be read.
  ///
  /// @param icon its `body`, and where they differ from the set's `left`, `top`, `width`, `height`
  /// @param flip mirrored from left to right
  static BufferedImage svg(Map<String, Object> icon, Map<String, Object> set, boolean flip) {
    double left = Json.number(icon.get("left"), 0), top = Json.number(icon.get("top"), 0);
    double width = Json.number(icon.get("width"), Json.number(set.get("width"), 16)), height =
        Json.number(icon.get("height"), Json.number(set.get("height"), 16));
    var body = ((String) icon.get("body")).replace("currentColor", "#000");
    if (flip) body = "<g transform=\"translate(%s 0) scale(-1 1)\">%s</g>".formatted(2 * left + width, body);
    var svg = ("<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"%s %s "
        + "%s %s\" width=\"128\" height=\"128\">%s</svg>").formatted(left, top, width, height, body);
    var document = new SVGLoader()
        .load(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)), null, LoaderContext.createDefault());
    if (document == null) return null;
    var image = white(SIZE * OVER);
    var g = image.createGraphics();
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    g.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    document.render((java.awt.Component) null, g, new ViewBox(0, 0, image.getWidth(), image.getHeight()));
    g.dispose();
    return average(image);
  }

  /// A PNG or WebP, in the middle of the smallest square whose side is a multiple of 32.
  static BufferedImage pixels(String name, byte[] file) throws IOException {
    var read = ImageIO.read(new ByteArrayInputStream(file));
    if (read == null) throw new IOException(name + " is no picture that can be read");
    var image = white(Math.ceilDiv(Math.max(read.getWidth(), read.getHeight()), SIZE) * SIZE);
    var g = image.createGraphics();
    g.drawImage(read, (image.getWidth() - read.getWidth()) / 2, (image.getHeight() - read.getHeight()) / 2, null);
    g.dispose();
    return average(image);
  }

  private static BufferedImage white(int side) {
    var image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    var g = image.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, side, side);
    g.dispose();
    return image;
  }

  private static BufferedImage average(BufferedImage image) {
    int over = image.getWidth() / SIZE, area = over * over;
    var small = new BufferedImage(SIZE, SIZE, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < SIZE; y++)
      for (int x = 0; x < SIZE; x++) {
        int[] sum = new int[3];
        for (int j = 0; j < over; j++)
          for (int i = 0; i < over; i++) {
            int c = image.getRGB(x * over + i, y * over + j);
            for (int k = 0; k < 3; k++) sum[k] += c >> 8 * k & 255;
          }
        int c = 0;
        for (int k = 0; k < 3; k++) c |= (sum[k] + area / 2) / area << 8 * k;
        small.setRGB(x, y, c);
      }
    return small;
  }
}
