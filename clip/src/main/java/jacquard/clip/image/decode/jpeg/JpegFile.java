package jacquard.clip.image.decode.jpeg;


import jacquard.clip.image.ImageException;
import jacquard.clip.image.Mode;
import jacquard.clip.image.Picture;
import jacquard.clip.image.decode.Exif;
import jacquard.clip.image.decode.FileBytes;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import javax.imageio.plugins.jpeg.JPEGHuffmanTable;

/// A JPEG file: its headers are read here (ITU-T T.81 B.1), its samples decoded by libjpeg-turbo where the machine has
/// it, else by the platform. Where both can, they give the same pixels; the platform's decoder is handed a file that
/// states its colours by the IJG library's rules, and is not asked for kinds that it gets wrong.
public final class JpegFile {
  /// What three or four components are.
  public enum Colours {
    /// As the file's segments say, by the IJG library's rules.
    STATED,
    /// Y, Cb, Cr, whatever the segments say.
    CHROMA,
    /// The picture's own colours, whatever the segments say.
    PLAIN
  }

  private static final byte[] JFIF =
      {(byte) 0xFF, (byte) 0xE0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};
  private static final int STARTS_AHEAD = 8; // bytes that libjpeg-turbo wants beyond those that it needs

  private final FileBytes source;
  private final ByteArrayOutputStream tables = new ByteArrayOutputStream();
  private int frame, width, height, transform = -1, orientation = 1, scan;
  private int[] components, across, down;
  private boolean jfif, huffman;
  private JpegScans scans;

  private JpegFile(FileBytes source) { this.source = source; }

  /// The picture of a file.
  public static Picture decode(FileBytes source) throws ImageException {
    JpegFile file = new JpegFile(source);
    file.parse();
    byte[] samples = file.samples(Colours.STATED);
    Mode mode = switch (file.components.length) { case 1 -> Mode.GREY; case 3 -> Mode.RGB; default -> Mode.CMYK; };
    // inverted by Adobe's custom
    if (mode == Mode.CMYK) for (int i = 0; i < samples.length; i++) samples[i] = (byte) ~samples[i];
    Picture picture = Picture.of(mode, file.width, file.height, samples);
    return source.options().upright() ? picture.upright(file.orientation) : picture;
  }

  /// The samples of a file inside another, which must have this shape: width, at least this height, components, at most
  /// this height.
  public static byte[] samples(FileBytes source, int[] shape, Colours colours) throws ImageException {
    JpegFile file = new JpegFile(source);
    file.parse();
    boolean lines = file.height >= shape[1] && file.height <= shape[3];
    if (!lines || file.width != shape[0] || file.components.length != shape[2])
      throw source.refusal("a JPEG of %dx%d with %d components inside, expected %dx%d with %d", file.width, file.height,
          file.components.length, shape[0], shape[1], shape[2]);
    return file.samples(colours);
  }

  private void parse() throws ImageException {
    byte[] b = source.bytes();
    int at = 2;
    while (true) {
      while (at < b.length && b[at] != -1) at++; // stray bytes between segments are skipped, as the IJG library does
      while (at < b.length && b[at] == -1) at++;
      if (at >= b.length) throw source.refusal("the JPEG ends after %d bytes in its header, expected a scan", b.length);
      int marker = b[at++] & 255;
      if (marker == 0xD9) throw source.refusal("the JPEG ends at byte %d without a scan", at);
      if (marker == 0 || marker >= 0xD0 && marker <= 0xD8) continue;
      if (marker < 0xC0)
        throw source.refusal("broken JPEG: marker %02X at byte %d, which there is not", marker, at - 1);
      int length = at + 2 <= b.length ? source.big16(at) : 0;
      // says nothing, and is read so
      if (length < 2 && (marker == 0xFE || marker >= 0xE0 && marker <= 0xEF)) length = 2;
      if (length < 2 || length > b.length - at)
        throw source.refusal("truncated JPEG: segment %02X at byte %d says %d bytes, %d are left", marker, at, length,
            b.length - at);
      if (marker == 0xDA) break;
      segment(b, marker, at, length);
      at += length;
    }
    scan = at - 2;
    if (components == null) throw source.refusal("the JPEG has a scan but no frame header");
    if (components.length != 1 && components.length != 3 && components.length != 4)
      throw source.refusal("a JPEG of %d components, expected 1, 3 or 4", components.length);
    source.checkSize(width, height);
    scans = JpegScans.read(source, scan, components, (long) width * height);
    if (frame == 0xC2 && !scans.whole())
      throw source.refusal("a progressive JPEG that lacks scans, which each decoder completes in its own way; load it "
          + "and save it again");
  }

  private void segment(byte[] b, int marker, int at, int length) throws ImageException {
    int from = at + 2, size = length - 2;
    if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC)
      frame(b, marker, from, size);
    if (marker == 0xC4) huffman = true;
    if (marker == 0xE0 && size >= 5 && starts(b, from, "JFIF\0")) jfif = true;
    if (marker == 0xEE && size >= 12 && starts(b, from, "Adobe")) transform = b[from + 11] & 255;
    if (marker == 0xE1 && Exif.prefix(b, from, size) == 6) orientation = Exif.orientation(b, from + 6, size - 6);
    if (marker < 0xE0 || marker > 0xEF && marker != 0xFE) {
      tables.write(0xFF);
      tables.write(marker);
      tables.write(b, at, length);
    }
  }

  private static boolean starts(byte[] b, int from, String letters) {
    for (int i = 0; i < letters.length(); i++) if (b[from + i] != letters.charAt(i)) return false;
    return true;
  }

  private void frame(byte[] b, int marker, int from, int size) throws ImageException {
    if (components != null) throw source.refusal("the JPEG has a second frame header at byte %d", from);
    if (size < 6 || size < 6 + 3 * (b[from + 5] & 255))
      throw source.refusal("the JPEG's frame header has %d bytes, too few", size);
    if (b[from] != 8) throw source.refusal("a JPEG of %d bits a sample, expected 8", b[from]);
    frame = marker;
    height = source.big16(from + 1);
    width = source.big16(from + 3);
    int n = b[from + 5] & 255;
    components = new int[n];
    across = new int[n];
    down = new int[n];
    for (int i = 0; i < n; i++) {
      components[i] = b[from + 6 + 3 * i] & 255;
      across[i] = b[from + 7 + 3 * i] >> 4 & 15;
      down[i] = b[from + 7 + 3 * i] & 15;
      if (across[i] < 1 || across[i] > 4 || down[i] < 1 || down[i] > 4)
        throw source.refusal("a JPEG component sampled %dx%d, expected 1 to 4 each way", across[i], down[i]);
    }
  }

  private byte[] samples(Colours colours) throws ImageException {
    boolean library = TurboJpeg.missing() == null;
    byte[] file = library && colours == Colours.STATED ? source.bytes() : assembled(colours, library);
    if (!scans.ends()) file = ended(file);
    try {
      if (!library) refuseWhatThePlatformCannot();
      TurboJpeg.Decoded decoded = library ? TurboJpeg.decode(file, width, height, components.length)
          : PlatformJpeg.decode(file, width, height, components.length);
      if (!scans.ends() && decoded.warning() != null) throw truncated();
      if (!library && decoded.warning() != null) throw onlyTheLibrary("damaged data (" + decoded.warning() + ")");
      if (!library && !SampleRange.holds(file)) throw onlyTheLibrary("damaged data (samples beyond every range)");
      boolean inks = !library && components.length == 4 && colours == Colours.STATED && transform == 2;
      return inks ? fromYcck(decoded.samples()) : decoded.samples();
    } catch (IllegalArgumentException broken) {
      if (frame == 0xC3)
        throw new ImageException(source.name(), "a lossless JPEG, which libjpeg-turbo decodes from version 3 on",
            broken);
      throw new ImageException(source.name(), "broken JPEG (" + broken.getMessage() + ")", broken);
    }
  }

  private ImageException truncated() {
    return source.refusal("truncated JPEG: %,d bytes without an end of the picture", source.length());
  }

  /// A file without an end is whole where its samples need none of its last bytes.
  private byte[] ended(byte[] file) throws ImageException {
    // an arithmetic decoder takes what is missing for zeros, and says nothing
    boolean silent = frame == 0xC2 || frame >= 0xC9;
    if (silent || scans.count() > 1 || file.length <= STARTS_AHEAD) throw truncated();
    byte[] ended = Arrays.copyOf(file, file.length - STARTS_AHEAD + 2);
    ended[ended.length - 2] = -1;
    ended[ended.length - 1] = (byte) 0xD9;
    return ended;
  }

  private void refuseWhatThePlatformCannot() throws ImageException {
    String kind = frame > 0xC2 ? frame == 0xC3 ? "lossless" : frame >= 0xC9 ? "arithmetic" : "hierarchical"
        : Arrays.stream(components).distinct().count() < components.length ? "components of one name"
        : !plainSampling() ? "this sampling (%s)".formatted(sampling())
        : scans.definesTables() && !huffman ? "tables that come late" : null;
    if (kind != null) throw onlyTheLibrary(kind);
  }

  private ImageException onlyTheLibrary(String kind) {
    return source.refusal("a JPEG that only libjpeg-turbo decodes as others do: %s; install it (%s), or convert the "
        + "file", kind,
        TurboJpeg.NAMES.getFirst());
  }

  /// Whether chroma is as dense as luma, half as dense across or half both ways, or repeated whole in both decoders.
  private boolean plainSampling() {
    int h = Arrays.stream(across).max().orElse(1), v = Arrays.stream(down).max().orElse(1);
    for (int i = 0; i < across.length; i++) {
      if (h % across[i] != 0 || v % down[i] != 0) return false;
      if (h == across[i] && v == 2 * down[i]) return false;
    }
    return true;
  }

  private List<String> sampling() {
    String[] each = new String[across.length];
    for (int i = 0; i < each.length; i++) each[i] = across[i] + "x" + down[i];
    return List.of(each);
  }

  /// The same file without the application segments but one of our own that states the colours; with the standard
  /// tables where it has none.
  private byte[] assembled(Colours colours, boolean library) {
    var bare = new ByteArrayOutputStream(source.length() + 512);
    bare.write(0xFF);
    bare.write(0xD8);
    if (components.length == 4) adobe(bare, colours == Colours.STATED && transform == 2 ? 2 : 0);
    else if (components.length == 3 && !(colours == Colours.STATED ? chroma() : colours == Colours.CHROMA))
      adobe(bare, 0);
    else bare.writeBytes(JFIF);
    if (!huffman && !library) standardTables(bare);
    bare.writeBytes(tables.toByteArray());
    bare.write(source.bytes(), scan, source.length() - scan);
    return bare.toByteArray();
  }

  private static void adobe(ByteArrayOutputStream out, int transform) {
    out.writeBytes(new byte[] {(byte) 0xFF, (byte) 0xEE, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0,
        (byte) transform});
  }

  /// Section K.3, which files of motion pictures leave out.
  private static void standardTables(ByteArrayOutputStream out) {
    JPEGHuffmanTable[] each =
        {JPEGHuffmanTable.StdDCLuminance, JPEGHuffmanTable.StdACLuminance, JPEGHuffmanTable.StdDCChrominance,
        JPEGHuffmanTable.StdACChrominance};
    for (int i = 0; i < each.length; i++) {
      int size = 19 + each[i].getValues().length;
      out.writeBytes(new byte[] {(byte) 0xFF, (byte) 0xC4, (byte) (size >> 8), (byte) size,
          (byte) (i % 2 << 4 | i / 2)});
      short[] lengths = each[i].getLengths();
      for (int k = 0; k < 16; k++) out.write(k < lengths.length ? lengths[k] : 0);
      for (short value : each[i].getValues()) out.write(value);
    }
  }

  /// Whether three components are Y, Cb, Cr: JFIF says so; else Adobe's transform; else only the identifiers R, G, B
  /// say no.
  private boolean chroma() {
    if (jfif) return true;
    if (transform >= 0) return transform != 0;
    return !(components[0] == 'R' && components[1] == 'G' && components[2] == 'B');
  }

  /// Y, Cb, Cr of the inverted inks, and K: C = 255 − (Y + 1.402·Cr'), … in 16-bit fixed point as the IJG library.
  private static byte[] fromYcck(byte[] samples) {
    for (int i = 0; i < samples.length; i += 4) {
      int y = samples[i] & 255, cb = (samples[i + 1] & 255) - 128, cr = (samples[i + 2] & 255) - 128;
      samples[i] = (byte) (255 - Math.clamp(y + (91881 * cr + 32768 >> 16), 0, 255));
      samples[i + 1] = (byte) (255 - Math.clamp(y + (-22554 * cb - 46802 * cr + 32768 >> 16), 0, 255));
      samples[i + 2] = (byte) (255 - Math.clamp(y + (116130 * cb + 32768 >> 16), 0, 255));
    }
    return samples;
  }
}
