package jacquard.emoji;

import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageInputStream;

/// The default corpus: drawings of Unicode's emoji by several families of artists, each with its name. Sources and
/// licences: `NOTICE`.
public final class Emoji {
  /// Width and height of a drawing in pixels.
  public static final int SIZE = 32;

  /// @param concept what is drawn: the same text in every set
  /// @param family  sets of one family share artists; a split that is to be honest cuts between families
  /// @param rgb     row-major, three bytes a pixel, on white
  public record Drawing(String set, String family, String concept, String caption, String group, byte[] rgb) {}

  /// A person of a role, in one of five skin tones, for audits: no part of the corpus.
  ///
  /// @param role   as `health worker`
  /// @param gender `man` or `woman`
  /// @param tone   `light`, `medium light`, `medium`, `medium dark` or `dark`
  /// @param rgb    row-major, three bytes a pixel, on white
  public record Portrait(String family, String role, String gender, String tone, byte[] rgb) {}

  private Emoji() {}

  /// Whether a split by concept keeps the concept, in every drawing, from training: true for 192 of the 1,923. It
  /// follows from the concept's name alone (the first four bytes of the SHA-256 of `151 name`, big-endian, are a
  /// multiple of ten), so that further sets or concepts move none; 151 is the smallest number with which they are
  /// exactly a tenth.
  public static boolean heldOut(String concept) {
    try {
      var hash = MessageDigest.getInstance("SHA-256").digest(("151 " + concept).getBytes(StandardCharsets.UTF_8));
      return Integer.remainderUnsigned(ByteBuffer.wrap(hash).getInt(), 10) == 0;
    } catch (NoSuchAlgorithmException e) { throw new IllegalStateException(e); }
  }

  /// All drawings, set by set, concepts in alphabetical order. A set may draw a concept more than once.
  public static List<Drawing> load() {
    Map<String, int[]> pixels = new LinkedHashMap<>();
    Map<String, Integer> widths = new LinkedHashMap<>();
    var r = new ArrayList<Drawing>();
    try (var in = new BufferedReader(new InputStreamReader(resource("captions.tsv"), StandardCharsets.UTF_8))) {
      in.readLine();
      for (String line; (line = in.readLine()) != null; ) {
        var f = line.split("\t");
        if (!pixels.containsKey(f[0])) {
          try (var png = resource(f[0] + ".png")) {
            var image = sheet(png);
            pixels.put(f[0], image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth()));
            widths.put(f[0], image.getWidth());
          }
        }
        r.add(new Drawing(f[0], f[1], f[3], f[4], f[5],
            cut(pixels.get(f[0]), widths.get(f[0]), Integer.parseInt(f[2]))));
      }
    } catch (IOException e) { throw new UncheckedIOException(e); }
    return List.copyOf(r);
  }

  /// All portraits: by family, role, gender and tone.
  public static List<Portrait> portraits() {
    var r = new ArrayList<Portrait>();
    try (var png = resource("tones.png");
         var in = new BufferedReader(new InputStreamReader(resource("tones.tsv"), StandardCharsets.UTF_8))) {
      var image = sheet(png);
      int width = image.getWidth();
      int[] pixels = image.getRGB(0, 0, width, image.getHeight(), null, 0, width);
      in.readLine();
      for (String line; (line = in.readLine()) != null; ) {
        var f = line.split("\t");
        r.add(new Portrait(f[0], f[2], f[3], f[4], cut(pixels, width, Integer.parseInt(f[1]))));
      }
    } catch (IOException e) { throw new UncheckedIOException(e); }
    return List.copyOf(r);
  }

  /// Without the file among temporary ones that ImageIO makes otherwise: it may find no room.
  private static BufferedImage sheet(InputStream png) throws IOException {
    return ImageIO.read(new MemoryCacheImageInputStream(png));
  }

  private static byte[] cut(int[] sheet, int width, int index) {
    byte[] rgb = new byte[SIZE * SIZE * 3];
    int columns = width / SIZE, x = index % columns * SIZE, y = index / columns * SIZE, at = 0;
    for (int j = 0; j < SIZE; j++)
      for (int i = 0; i < SIZE; i++) {
        int c = sheet[(y + j) * width + x + i];
        rgb[at++] = (byte) (c >> 16);
        rgb[at++] = (byte) (c >> 8);
        rgb[at++] = (byte) c;
      }
    return rgb;
  }

  private static java.io.InputStream resource(String name) throws IOException {
    var in = Emoji.class.getResourceAsStream(name);
    if (in == null) throw new IOException("the emoji artifact holds no " + name);
    return in;
  }
}
