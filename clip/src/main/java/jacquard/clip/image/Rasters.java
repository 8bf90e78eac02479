package jacquard.clip.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;

/// Takes the samples of an image as they were stored. `getRGB` would convert them between colour spaces, which moves greys by up to 73 of
/// 255.
final class Rasters {
  private Rasters() {}

  static Picture picture(BufferedImage image, String name) throws ImageException {
    ColorModel colours = image.getColorModel();
    Raster raster = image.getRaster();
    int type = raster.getSampleModel().getDataType();
    if (type != DataBuffer.TYPE_BYTE && type != DataBuffer.TYPE_USHORT && type != DataBuffer.TYPE_INT)
      throw new ImageException(name, "samples of Java data type " + type + ", expected integers of 1 to 16 bits");
    int w = raster.getWidth(), h = raster.getHeight(), bands = raster.getNumBands();
    if (colours instanceof IndexColorModel index) return indexed(bytes(raster, 0, 1, false), w, h, index);
    if (bands == 1 && raster.getSampleModel().getSampleSize(0) == 16) return Picture.of(Mode.GREY16, w, h, wide(raster));
    Mode mode = switch (bands) {
      case 1 -> Mode.GREY;
      case 2 -> Mode.GREY_ALPHA;
      case 3 -> Mode.RGB;
      default -> colours.getColorSpace().getType() == ColorSpace.TYPE_CMYK ? Mode.CMYK : colours.hasAlpha() ? Mode.RGBA : Mode.RGB;
    };
    Picture picture = Picture.of(mode, w, h, bytes(raster, 0, mode.bytes(), true));
    return colours.isAlphaPremultiplied() && (mode == Mode.RGBA || mode == Mode.GREY_ALPHA) ? Opacity.divide(picture) : picture;
  }

  /// Black-and-white palettes of two colours become bilevel, and the palette in which each index is its own grey becomes grey, as in
  /// Pillow.
  private static Picture indexed(byte[] indices, int w, int h, IndexColorModel index) {
    int size = index.getMapSize();
    byte[] palette = new byte[768];
    boolean identity = size == 256;
    for (int i = 0; i < Math.min(size, 256); i++) {
      int rgb = index.getRGB(i);
      for (int c = 0; c < 3; c++) {
        palette[3 * i + c] = (byte) (rgb >> 16 - 8 * c);
        identity &= (palette[3 * i + c] & 255) == i;
      }
    }
    if (identity) return Picture.of(Mode.GREY, w, h, indices);
    int first = index.getRGB(0) & 0xFFFFFF, second = size == 2 ? index.getRGB(1) & 0xFFFFFF : 0;
    if (size == 2 && (first ^ second) == 0xFFFFFF && (first == 0 || second == 0)) {
      for (int i = 0; i < indices.length; i++) indices[i] = (byte) (indices[i] == 0 ? first : second);
      return Picture.of(Mode.BILEVEL, w, h, indices);
    }
    return new Picture(Mode.PALETTE, w, h, indices, palette);
  }

  /// Bands `first` to `first + count` as `[height, width, count]`. Where `scaled`, samples of fewer than 8 bits are stretched to 0…255
  /// (⌊255·s/max⌋) and of longer ones the high byte is taken.
  static byte[] bytes(Raster raster, int first, int count, boolean scaled) {
    int w = raster.getWidth(), h = raster.getHeight(), bands = raster.getNumBands();
    byte[] out = new byte[w * h * count];
    if (raster.getSampleModel() instanceof PixelInterleavedSampleModel model && raster.getDataBuffer() instanceof DataBufferByte buffer) {
      copy(raster, model, buffer, first, count, out);
      return out;
    }
    int[] row = new int[w * bands];
    for (int y = 0, to = 0; y < h; y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, w, 1, row);
      for (int x = 0; x < w; x++) {
        for (int c = first; c < first + count; c++) {
          int bits = scaled ? raster.getSampleModel().getSampleSize(c) : 8, sample = row[x * bands + c];
          out[to++] = (byte) (bits > 8 ? sample >> bits - 8 : bits < 8 ? sample * 255 / ((1 << bits) - 1) : sample);
        }
      }
    }
    return out;
  }

  private static void copy(Raster raster, PixelInterleavedSampleModel model, DataBufferByte buffer, int first, int count, byte[] out) {
    byte[] data = buffer.getData();
    int[] offsets = model.getBandOffsets();
    int w = raster.getWidth(), step = model.getPixelStride();
    int origin = buffer.getOffset() - raster.getSampleModelTranslateX() * step - raster.getSampleModelTranslateY() * model.getScanlineStride()
        + raster.getMinX() * step + raster.getMinY() * model.getScanlineStride();
    for (int y = 0; y < raster.getHeight(); y++) {
      for (int c = 0; c < count; c++) {
        int from = origin + y * model.getScanlineStride() + offsets[first + c], to = y * w * count + c;
        for (int x = 0; x < w; x++) out[to + x * count] = data[from + x * step];
      }
    }
  }

  /// The first band in two bytes a pixel, the low one first.
  static byte[] wide(Raster raster) {
    int w = raster.getWidth(), h = raster.getHeight();
    byte[] out = new byte[2 * w * h];
    int[] row = new int[w * raster.getNumBands()];
    for (int y = 0, to = 0; y < h; y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, w, 1, row);
      for (int x = 0; x < w; x++) {
        int sample = row[x * raster.getNumBands()];
        out[to++] = (byte) sample;
        out[to++] = (byte) (sample >> 8);
      }
    }
    return out;
  }
}
