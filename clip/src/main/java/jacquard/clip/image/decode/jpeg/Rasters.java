package jacquard.clip.image.decode.jpeg;

import java.awt.image.DataBufferByte;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;

/// Takes the samples of an image as they were stored. `getRGB` would convert them between colour spaces, which moves
/// greys by up to 73 of 255.
final class Rasters {
  private Rasters() {}

  /// The first `count` bands as `[height, width, count]`, 8 bits each.
  static byte[] bytes(Raster raster, int count) {
    int w = raster.getWidth(), h = raster.getHeight(), bands = raster.getNumBands();
    byte[] out = new byte[w * h * count];
    if (raster.getSampleModel() instanceof PixelInterleavedSampleModel model
        && raster.getDataBuffer() instanceof DataBufferByte buffer) {
      copy(raster, model, buffer, count, out);
      return out;
    }
    int[] row = new int[w * bands];
    for (int y = 0, to = 0; y < h; y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, w, 1, row);
      for (int x = 0; x < w; x++) for (int c = 0; c < count; c++) out[to++] = (byte) row[x * bands + c];
    }
    return out;
  }

  private static void copy(Raster raster, PixelInterleavedSampleModel model, DataBufferByte buffer, int count,
      byte[] out) {
    byte[] data = buffer.getData();
    int[] offsets = model.getBandOffsets();
    int w = raster.getWidth(), step = model.getPixelStride();
    int origin = buffer.getOffset() - raster.getSampleModelTranslateX() * step
        - raster.getSampleModelTranslateY() * model.getScanlineStride()
        + raster.getMinX() * step + raster.getMinY() * model.getScanlineStride();
    for (int y = 0; y < raster.getHeight(); y++) {
      for (int c = 0; c < count; c++) {
        int from = origin + y * model.getScanlineStride() + offsets[c], to = y * w * count + c;
        for (int x = 0; x < w; x++) out[to + x * count] = data[from + x * step];
      }
    }
  }
}
