package jacquard.clip.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.MemoryCacheImageInputStream;

/// The decoders of a format, in the order in which they are tried: the platform's own, then those on the path.
final class Decoder {
  static final Decoder JPEG = new Decoder("jpeg"), PNG = new Decoder("png"), GIF = new Decoder("gif"), BMP = new Decoder("bmp"),
      TIFF = new Decoder("tiff"), WEBP = new Decoder("webp");

  private final String format;
  private final List<ImageReaderSpi> providers = new ArrayList<>();

  private Decoder(String format) {
    this.format = format;
    IIORegistry.getDefaultInstance().getServiceProviders(ImageReaderSpi.class, true)
        .forEachRemaining(provider -> { if (provider.getClass().getModule() == IIORegistry.class.getModule()) add(provider); });
    // by this class's loader: the registry looks only where the thread that first used it looked
    ServiceLoader.load(ImageReaderSpi.class, Decoder.class.getClassLoader()).forEach(this::add);
  }

  private void add(ImageReaderSpi provider) {
    for (String name : provider.getFormatNames()) {
      if (name.equalsIgnoreCase(format)) {
        providers.add(provider);
        return;
      }
    }
  }

  /// What is done with an open reader.
  interface Work<T> {
    T with(ImageReader reader, List<String> warnings) throws IOException;
  }

  /// The result of the first decoder that succeeds; if none does, the failure of the first.
  <T> T read(byte[] bytes, String name, Images.Options options, Work<T> work) throws IOException {
    Exception failure = null;
    for (ImageReaderSpi provider : providers) {
      ImageReader reader = provider.createReaderInstance();
      try (var stream = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
        List<String> warnings = new ArrayList<>();
        reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
        reader.setInput(stream, true, true);
        Images.checkSize(reader.getWidth(0), reader.getHeight(0), name, options);
        return work.with(reader, warnings);
      } catch (ImageException stated) {
        throw stated;
      } catch (IOException | RuntimeException broken) {
        if (failure == null) failure = broken; else failure.addSuppressed(broken);
      } finally {
        reader.dispose();
      }
    }
    if (failure == null) throw new ImageException(name, "no decoder for " + format + " on the class path or module path");
    throw new ImageException(name, "broken " + format + " (" + failure.getMessage() + ")", failure);
  }

  BufferedImage image(byte[] bytes, String name, Images.Options options) throws IOException {
    return read(bytes, name, options, (reader, warnings) -> reader.read(0));
  }

  Picture decode(byte[] bytes, String name, Images.Options options) throws IOException {
    return Rasters.picture(image(bytes, name, options), name);
  }
}
