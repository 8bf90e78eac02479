package jacquard.clip.image.decode.tiff;

import static jacquard.clip.image.decode.tiff.TiffTags.*;


import jacquard.clip.image.ImageException;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import jacquard.clip.image.decode.FileBytes;
import jacquard.clip.image.resize.Opacity;
import java.util.Arrays;

/// A TIFF file's first page as Pillow reads it, turned as its orientation says. Colours that Pillow makes by other
/// rules than this class are refused by name, and so are samples that it does not read.
public final class TiffFile {
  private static final int LARGEST = 1 << 16;

  private final FileBytes source;
  private final TiffTags tags;
  private int width, height, photometric, bits, samples, format;
  private boolean planar;
  private int[] extra;
  private Mode mode;
  private boolean premultiplied;
  private byte[] out;

  private TiffFile(FileBytes source) throws ImageException {
    this.source = source;
    this.tags = new TiffTags(source);
  }

  /// The first page.
  public static Picture decode(FileBytes source) throws ImageException {
    TiffFile file = new TiffFile(source);
    file.layout();
    file.mode();
    return file.picture().upright(file.tags.orientation());
  }

  private void layout() throws ImageException {
    width = tags.number(WIDTH, 0);
    height = tags.number(LENGTH, 0);
    source.checkSize(width, height);
    photometric = tags.number(PHOTOMETRIC, 0);
    planar = tags.number(PLANAR, 1) == 2;
    samples = tags.number(SAMPLES, 1);
    extra = Arrays.stream(tags.numbers(EXTRA_SAMPLES, 8)).mapToInt(x -> (int) x).toArray();
    if (planar && extra.length > 0 && extra.length < samples && Arrays.stream(extra).allMatch(x -> x == 0)) {
      if (tags.numbers(BITS, samples).length < samples) throw unknown(); // Pillow takes the bits of the extra ones off
      samples -= extra.length; // they lie at the end, and say nothing
      extra = new int[0];
    }
    if (samples < 1 || samples > 6) throw source.refusal("a TIFF of %d samples a pixel, expected 1 to 6", samples);
    long[] each = tags.numbers(BITS, samples), formats = tags.numbers(SAMPLE_FORMAT, samples);
    bits = each.length == 0 ? 1 : (int) each[0];
    format = formats.length == 0 ? 1 : (int) formats[0];
    if (each.length > 1 && each.length != samples || Arrays.stream(each).anyMatch(b -> b != bits)
        || Arrays.stream(formats).anyMatch(f -> f != format)) throw unknown();
  }

  private ImageException unknown() {
    return source.refusal("a TIFF of photometric %d with %d samples of %d bits in format %d, extra samples %s, which "
        + "Pillow does not read "
        + "either", photometric, samples, bits, format, Arrays.toString(extra));
  }

  /// Which mode the samples are; many pairs of photometric and bits are none.
  private void mode() throws ImageException {
    int fill = tags.number(FILL_ORDER, 1), colours =
        switch (photometric) { case 2, 6, 8 -> 3; case 5 -> 4; default -> 1; };
    int planes = tags.number(PLANAR, 1);
    if (planes != 1 && planes != 2 && tags.number(COMPRESSION, 1) != 1) throw unknown();
    if (fill != 1 && fill != 2 || fill == 2 && (format != 1 || photometric == 6)) throw unknown();
    mode = switch (photometric) {
      case 0, 1 -> grey();
      case 2 -> bits == 8 || bits == 16 ? rgb() : null;
      case 3 -> samples == 1 && extra.length == 0 && (bits == 1 || bits == 2 || bits == 4 || bits == 8) ? Mode.PALETTE
          // opacity is dropped
          : samples == 2 && bits == 8 && extra.length == 1 && (extra[0] == 0 || extra[0] == 2) ? Mode.PALETTE
          : null;
      case 5 -> samples == 4 + extra.length && extra.length < 3 && Arrays.stream(extra).allMatch(x -> x == 0)
          && (bits == 8 || bits == 16 && extra.length == 0) ? Mode.CMYK : null;
      case 6 -> bits == 8 && extra.length == 0 ? samples == 1 ? Mode.GREY : samples == 3 ? Mode.YCBCR : null : null;
      case 8 -> throw source.refusal("a TIFF of CIE L*a*b* colours, which are not read; convert the file to RGB");
      default -> null;
    };
    if (mode == null || format != 1 && (photometric > 1 || samples > 1)) throw unknown();
    if (fill == 2 && (bits > 8 || samples > 1 && !(photometric == 2 && samples == 3)) && !(bits == 16
        && photometric == 1 && tags.lowFirst()))
      throw unknown();
    if (planar && (bits != 8 || premultiplied || mode == Mode.YCBCR) && samples > 1)
      throw source.refusal("a TIFF of separate planes of %d bits, %s: not read; convert the file", bits, mode);
    if (mode == Mode.RGB && samples < colours) throw unknown();
  }

  private Mode grey() throws ImageException {
    if (samples == 2) {
      if (photometric == 0 || bits != 8 || extra.length != 1 || format != 1) return null;
      if (extra[0] == 1)
        throw source.refusal("a TIFF of grey that is multiplied by its opacity: not read; convert the file");
      return extra[0] == 0 ? Mode.GREY : extra[0] == 2 ? Mode.GREY_ALPHA : null;
    }
    if (samples != 1 || extra.length > 0) return null;
    boolean direct = photometric == 1;
    return switch (format) {
      case 1 -> switch (bits) {
        case 1 -> Mode.BILEVEL;
        case 2, 4, 8 -> Mode.GREY;
        case 12 -> direct && tags.lowFirst() ? Mode.GREY16 : null;
        case 16 -> direct || tags.lowFirst() ? Mode.GREY16 : null;
        case 32 -> direct && tags.lowFirst() ? Mode.INT32 : null;
        default -> null;
      };
      case 2 -> !direct ? null : bits == 8 ? Mode.GREY : bits == 16 || bits == 32 ? Mode.INT32 : null;
      case 3 -> bits == 32 ? Mode.FLOAT32 : null;
      default -> null;
    };
  }

  private Mode rgb() {
    if (samples == 3 && extra.length == 0) return Mode.RGB;
    if (samples == 4 && extra.length == 0) return Mode.RGBA;
    if (extra.length == 0 || samples != 3 + extra.length || bits == 16 && samples > 4) return null;
    for (int i = 1; i < extra.length; i++) if (extra[i] != 0) return null;
    premultiplied = extra[0] == 1;
    boolean old = extra[0] == 999 && bits == 8 && samples == 4; // Corel Draw 10
    return extra[0] == 0 ? Mode.RGB : extra[0] == 1 || extra[0] == 2 || old ? Mode.RGBA : null;
  }

  private Picture picture() throws ImageException {
    var strips = new TiffStrips(source, tags, bits, samples, planar, mode == Mode.YCBCR);
    strips.check(width, height);
    if (strips.differsFloats() && mode != Mode.FLOAT32) throw unknown();
    TiffDoubts.check(new TiffDoubts.Layout(mode, photometric, bits, samples, extra.length, tags.lowFirst(),
        strips.packed(), planar, strips.tiled(), tags.number(FILL_ORDER, 1) == 2, strips.count() == 1,
        mode == Mode.PALETTE && tags.has(BITS) ? tags.numbers(COLOUR_MAP, 3 * LARGEST).length : 0), tags, width,
        height);
    if (mode == Mode.YCBCR && strips.givesRgb()) mode = Mode.RGB;
    out = new byte[Math.multiplyExact(width * height, mode.bytes())];
    strips.each(this::place);
    byte[] palette = mode == Mode.PALETTE ? palette() : Picture.NO_PALETTE;
    Picture picture = new Picture(mode, width, height, out, palette);
    return premultiplied ? Opacity.divide(cleared(picture)) : picture;
  }

  /// Where nothing is seen there is no colour.
  private static Picture cleared(Picture picture) {
    byte[] s = picture.samples();
    for (int i = 0; i < s.length; i += 4) if (s[i + 3] == 0) s[i] = s[i + 1] = s[i + 2] = 0;
    return picture;
  }

  private byte[] palette() throws ImageException {
    long[] map = tags.numbers(COLOUR_MAP, 3 * LARGEST); // all reds, then all greens, then all blues, 16 bits each
    if (map.length == 0 || map.length % 3 != 0 || map.length > 768)
      throw source.refusal("a TIFF palette of %d numbers, expected three times the colours, at most 256", map.length);
    byte[] palette = new byte[768];
    int size = map.length / 3;
    for (int i = 0; i < size; i++) for (int c = 0; c < 3; c++) palette[3 * i + c] = (byte) (map[c * size + i] >> 8);
    return palette;
  }

  /// Puts rows of a strip or tile, `stride` bytes each, at their place; plane −1 where samples lie together.
  private void place(byte[] rows, int stride, int x, int y, int plane) {
    int columns = Math.min(rows.length == 0 ? 0 : stride * 8 / (bits * (plane < 0 ? samples : 1)), width - x), n =
        mode.bytes();
    int count = Math.min(rows.length / stride, height - y);
    for (int i = 0; i < count; i++) {
      int from = i * stride, to = ((y + i) * width + x) * n;
      for (int j = 0; j < columns; j++, to += n) {
        if (plane >= n) continue;
        if (plane >= 0) out[to + plane] = rows[from + j];
        else pixel(rows, from, j, to, n);
      }
    }
  }

  private void pixel(byte[] rows, int from, int j, int to, int n) {
    if (bits < 8) {
      int largest = (1 << bits) - 1, sample = rows[from + j * bits / 8] >> 8 - bits - j * bits % 8 & largest;
      if (photometric == 0) sample = largest - sample;
      out[to] = (byte) (mode == Mode.PALETTE ? sample : sample * 255 / largest);
    } else if (bits == 8) {
      for (int c = 0; c < n; c++) out[to + c] = rows[from + j * samples + c];
      if (photometric == 0) out[to] = (byte) ~out[to];
    } else if (bits == 12) {
      int at = from + j * 12 / 8, high = rows[at] & 255, low = rows[at + 1] & 255;
      int sample = j % 2 == 0 ? high << 4 | low >> 4 : (high & 15) << 8 | low;
      out[to] = (byte) sample;
      out[to + 1] = (byte) (sample >> 8);
    } else if (mode == Mode.GREY16 || mode == Mode.INT32 || mode == Mode.FLOAT32) {
      int bytes = bits / 8, at = from + j * bytes;
      for (int i = 0; i < bytes; i++) out[to + i] = rows[at + (tags.lowFirst() ? i : bytes - 1 - i)];
      if (mode == Mode.INT32 && bytes == 2) out[to + 2] = out[to + 3] = (byte) (out[to + 1] >> 7);
    } else {
      for (int c = 0; c < n; c++) out[to + c] = rows[from + 2 * (j * samples + c) + (tags.lowFirst() ? 1 : 0)];
    }
  }
}
