package jacquard.clip.image;

import java.io.IOException;

/// A TIFF file's first page. Palettes are taken from the file, whose 16-bit colours Pillow shortens to their high bytes and decoders
/// otherwise.
final class TiffFile {
  private static final int COLOUR_MAP = 320, LARGEST = 3 * 256;

  private TiffFile() {}

  static Picture decode(byte[] bytes, String name, Images.Options options) throws IOException {
    Picture picture = Decoder.TIFF.decode(bytes, name, options);
    int[] map = Exif.shorts(bytes, 0, bytes.length, COLOUR_MAP, LARGEST); // all reds, then all greens, then all blues
    if (picture.mode() == Mode.PALETTE && map.length > 0 && map.length % 3 == 0) {
      byte[] palette = new byte[768];
      int size = map.length / 3;
      for (int i = 0; i < size; i++)
        for (int c = 0; c < 3; c++) palette[3 * i + c] = (byte) (map[c * size + i] >> 8);
      picture = new Picture(Mode.PALETTE, picture.width(), picture.height(), picture.samples(), palette);
    }
    return options.upright() ? picture.upright(Exif.orientation(bytes, 0, bytes.length)) : picture;
  }
}
