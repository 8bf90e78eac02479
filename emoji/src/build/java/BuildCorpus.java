import com.github.weisj.jsvg.parser.LoaderContext;
import com.github.weisj.jsvg.parser.SVGLoader;
import com.github.weisj.jsvg.view.ViewBox;
import java.awt.Color;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import javax.imageio.ImageIO;

/// Draws every set's emoji at 32×32 on white (rendered at 128 and averaged) into one sheet a set, and writes the table of captions.
/// A drawing belongs to the concept whose English Unicode name its own name is.
public class BuildCorpus {
  static final int SIZE = 32, OVER = 4, COLUMNS = 64;
  record Pack(String file, String name, String family) {}
  static final List<Pack> PACKS = List.of(new Pack("noto-1.2.9", "noto", "noto"), new Pack("noto-v1-1.2.5", "noto-v1", "noto"), new Pack("twemoji-1.2.5", "twemoji", "twemoji"),
      new Pack("emojione-1.2.3", "emojione", "emojione"), new Pack("emojione-monotone-1.2.1", "emojione-monotone", "emojione"),
      new Pack("fluent-emoji-1.2.7", "fluent", "fluent"), new Pack("fluent-emoji-flat-1.2.6", "fluent-flat", "fluent"),
      new Pack("fluent-emoji-high-contrast-1.2.6", "fluent-high-contrast", "fluent"), new Pack("fxemoji-1.2.2", "fxemoji", "fxemoji"),
      new Pack("streamline-emojis-1.2.4", "streamline", "streamline"));

  public static void main(String[] args) throws Exception {
    Path packs = Path.of(args[0]), to = Path.of(args[1]);
    // slug → caption, group
    var concepts = new TreeMap<String, String[]>();
    var byEmoji = object(json(entry(packs.resolve("unicode-emoji-json-0.9.0.tgz"), "package/data-by-emoji.json")));
    for (var v : byEmoji.values()) {
      var e = object(v);
      concepts.put(key((String) e.get("slug")), new String[] {((String) e.get("name")).toLowerCase(java.util.Locale.ROOT), (String) e.get("group")});
    }
    var table = new StringBuilder("set\tfamily\tindex\tconcept\tcaption\tgroup\n");
    int total = 0;
    for (var p : PACKS) {
      var root = object(json(entry(packs.resolve("iconify-json-" + p.file + ".tgz"), "package/icons.json")));
      double w = number(root.get("width"), 16), h = number(root.get("height"), 16);
      var found = new TreeMap<String, BufferedImage>();
      var icons = object(root.get("icons"));
      for (var i : icons.entrySet()) {
        var k = key(i.getKey());
        if (!concepts.containsKey(k) || found.containsKey(k)) continue;
        var icon = object(i.getValue());
        var image = draw((String) icon.get("body"), number(icon.get("left"), 0), number(icon.get("top"), 0), number(icon.get("width"), w), number(icon.get("height"), h));
        if (image != null) found.put(k, image);
      }
      var sheet = new BufferedImage(COLUMNS * SIZE, (found.size() + COLUMNS - 1) / COLUMNS * SIZE, BufferedImage.TYPE_INT_RGB);
      int n = 0;
      for (var f : found.entrySet()) {
        sheet.getRaster().setDataElements(n % COLUMNS * SIZE, n / COLUMNS * SIZE, f.getValue().getRaster());
        table.append(String.join("\t", p.name, p.family, "" + n++, f.getKey(), concepts.get(f.getKey())[0], concepts.get(f.getKey())[1])).append('\n');
      }
      ImageIO.write(sheet, "png", to.resolve(p.name + ".png").toFile());
      System.out.printf("%-22s %5d of %5d drawings, %,d bytes%n", p.name, n, icons.size(), Files.size(to.resolve(p.name + ".png")));
      total += n;
    }
    Files.writeString(to.resolve("captions.tsv"), table);
    System.out.println(total + " pairs, " + concepts.size() + " concepts named");
  }

  /// Lower case, words joined by one hyphen: the form in which names of different packages meet.
  static String key(String name) {
    return java.text.Normalizer.normalize(name, java.text.Normalizer.Form.NFD).replaceAll("\\p{M}", "").toLowerCase(java.util.Locale.ROOT).replaceAll("['’.]", "").replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
  }

  static BufferedImage draw(String body, double left, double top, double w, double h) {
    var svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" viewBox=\"%s %s %s %s\" width=\"128\" height=\"128\">%s</svg>"
        .formatted(left, top, w, h, body.replace("currentColor", "#000"));
    var document = new SVGLoader().load(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)), null, LoaderContext.createDefault());
    if (document == null) return null;
    int big = SIZE * OVER;
    var image = new BufferedImage(big, big, BufferedImage.TYPE_INT_RGB);
    var g = image.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, big, big);
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    g.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    document.render((java.awt.Component) null, g, new ViewBox(0, 0, big, big));
    g.dispose();
    var small = new BufferedImage(SIZE, SIZE, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < SIZE; y++)
      for (int x = 0; x < SIZE; x++) {
        int[] sum = new int[3];
        for (int j = 0; j < OVER; j++)
          for (int i = 0; i < OVER; i++) {
            int c = image.getRGB(x * OVER + i, y * OVER + j);
            for (int k = 0; k < 3; k++) sum[k] += c >> 8 * k & 255;
          }
        int c = 0;
        for (int k = 0; k < 3; k++) c |= (sum[k] + OVER * OVER / 2) / (OVER * OVER) << 8 * k;
        small.setRGB(x, y, c);
      }
    return small;
  }

  /// One file of a gzipped tar (ustar: name in bytes 0–99, size in octal at 124).
  static String entry(Path tgz, String name) throws Exception {
    try (InputStream in = new GZIPInputStream(Files.newInputStream(tgz))) {
      byte[] head;
      while ((head = in.readNBytes(512)).length == 512 && head[0] != 0) {
        var n = new String(head, 0, 100, StandardCharsets.UTF_8).replaceAll("\0.*", "");
        int size = Integer.parseInt(new String(head, 124, 11, StandardCharsets.US_ASCII).trim(), 8);
        byte[] data = in.readNBytes(size);
        in.readNBytes((512 - size % 512) % 512);
        if (n.equals(name)) return new String(data, StandardCharsets.UTF_8);
      }
    }
    throw new IllegalStateException(tgz + " holds no " + name);
  }

  // A small JSON reader, so that this program needs nothing but JSVG.
  static Object json(String s) { return new Reader(s).value(); }
  @SuppressWarnings("unchecked") static Map<String, Object> object(Object o) { return (Map<String, Object>) o; }
  static double number(Object o, double otherwise) { return o == null ? otherwise : (Double) o; }

  static final class Reader {
    final String s; int i;
    Reader(String s) { this.s = s; }
    void space() { while (i < s.length() && Character.isWhitespace(s.charAt(i))) i++; }
    Object value() {
      space();
      char c = s.charAt(i);
      if (c == '{') {
        var m = new LinkedHashMap<String, Object>(); i++; space();
        while (s.charAt(i) != '}') { var k = string(); space(); i++; m.put(k, value()); space(); if (s.charAt(i) == ',') { i++; space(); } }
        i++; return m;
      }
      if (c == '[') { var l = new ArrayList<Object>(); i++; space(); while (s.charAt(i) != ']') { l.add(value()); space(); if (s.charAt(i) == ',') { i++; space(); } } i++; return l; }
      if (c == '"') return string();
      int from = i;
      while (i < s.length() && ",}] \n\r\t".indexOf(s.charAt(i)) < 0) i++;
      var w = s.substring(from, i);
      return switch (w) { case "true" -> true; case "false" -> false; case "null" -> null; default -> Double.parseDouble(w); };
    }
    String string() {
      space();
      var b = new StringBuilder();
      for (i++; s.charAt(i) != '"'; i++) {
        char c = s.charAt(i);
        if (c != '\\') { b.append(c); continue; }
        switch (s.charAt(++i)) {
          case 'n' -> b.append('\n'); case 't' -> b.append('\t'); case 'r' -> b.append('\r'); case 'b' -> b.append('\b'); case 'f' -> b.append('\f');
          case 'u' -> { b.append((char) Integer.parseInt(s.substring(i + 1, i + 5), 16)); i += 4; }
          default -> b.append(s.charAt(i));
        }
      }
      i++;
      return b.toString();
    }
  }
}
