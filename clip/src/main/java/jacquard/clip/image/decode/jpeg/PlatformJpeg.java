package jacquard.clip.image.decode.jpeg;

import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/// ImageIO's JPEG decoder (the IJG's version 6b), for machines without libjpeg-turbo.
final class PlatformJpeg {
  private PlatformJpeg() {}

  /// Decodes a file whose colours its own segments state without doubt; inks come as Y, Cb, Cr, K where `transform`
  /// says so.
  /// @throws IllegalArgumentException with the decoder's words where it gives up
  static TurboJpeg.Decoded decode(byte[] bytes, int width, int height, int components) {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName("jpeg");
    while (readers.hasNext()) {
      ImageReader reader = readers.next();
      if (reader.getClass().getModule() != ImageIO.class.getModule()) continue;
      try (var stream = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
        List<String> warnings = new ArrayList<>();
        reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
        reader.setInput(stream, true, true);
        Raster raster = components == 4 ? reader.readRaster(0, null) : reader.read(0).getRaster();
        if (raster.getWidth() != width || raster.getHeight() != height || raster.getNumBands() != components)
          throw new IllegalArgumentException("decoded as " + raster.getWidth() + "x" + raster.getHeight() + "x"
              + raster.getNumBands());
        return new TurboJpeg.Decoded(Rasters.bytes(raster, components), warnings.isEmpty() ? null
            : warnings.getFirst());
      } catch (IOException | RuntimeException broken) {
        throw new IllegalArgumentException(broken.getMessage() == null ? broken.toString() : broken.getMessage(),
            broken);
      } finally {
        reader.dispose();
      }
    }
    throw new IllegalArgumentException("this Java has no JPEG decoder");
  }
}
