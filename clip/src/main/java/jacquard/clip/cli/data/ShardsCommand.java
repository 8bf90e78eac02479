package jacquard.clip.cli.data;

import jacquard.clip.cli.options.data.DataOptions;
import jacquard.clip.data.shards.ShardWriter;
import jacquard.clip.data.source.Source;
import jacquard.clip.image.Pixels;
import jacquard.clip.report.log.Progress;
import jacquard.clip.settings.Count;
import jacquard.clip.settings.Reason;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Writes pairs into shards.
@Command(name = "shards", mixinStandardHelpOptions = true, sortOptions = false)
public final class ShardsCommand implements Callable<Integer> {
  /// As img2dataset.
  private static final int LARGEST = 10_000, SHARDS = 16;

  @Parameters(index = "0", paramLabel = "DATA", description = "As train's --train-data.") String data;
  @Parameters(index = "1", paramLabel = "OUT", description = "A folder without shards.") Path out;
  @Option(names = "--size", paramLabel = "N", description =
      "Pairs a shard (default: what makes 16 shards, at most 10000).")
  Integer size;
  @Option(names = "--digits", paramLabel = "N", description =
      "Digits of a shard's number (default: as many as needed, 2 at least; img2dataset: 5).")
  Integer digits;
  @Mixin DataOptions options;

  @Override public Integer call() throws IOException {
    if (size != null && size < 1) throw new IllegalArgumentException("--size " + size + ", expected at least 1");
    if (digits != null && (digits < 1 || digits > 9))
      throw new IllegalArgumentException("--digits " + digits + ", expected 1 to 9");
    var source = options.source(data);
    int each = size != null ? size : Math.min(LARGEST, (source.size() + SHARDS - 1) / SHARDS), count =
        (source.size() + each - 1) / each, failed = 0;
    int needed = Integer.toString(count - 1).length();
    if (digits != null && digits < needed)
      throw new IllegalArgumentException("--digits " + digits + " for " + Count.of(count, "shard") + ", expected "
          + needed + " or more");
    int width = digits != null ? digits : Math.max(2, needed);
    try (var writer = new ShardWriter(out, each, width);
        var progress = Progress.of("shards", source.size()).unit("pairs").open()) {
      for (int i = 0; i < source.size(); i++) {
        try {
          var file = source.file(i);
          var extension = file.map(ShardsCommand::extension).orElse(null);
          byte[] picture = extension != null ? file.get() : png(source.picture(i).pixels());
          writer.add(extension != null ? extension : "png", picture, source.caption(i));
        } catch (IOException e) {
          if (!readable(source, i)) {
            failed++;
            progress.say("left out: " + Reason.of(e));
          } else throw e;
        }
        progress.advance(1);
      }
      writer.done();
      if (writer.counts().isEmpty()) throw new IOException("no pair of " + source.name() + " could be read");
      progress.close();
      System.out.printf("%s in %s: %s … %s in %s%n", Count.of(source.size() - failed, "pair"),
          Count.of(writer.counts().size(), "shard"), writer.counts().firstEntry().getKey(),
          writer.counts().lastEntry().getKey(), out);
    }
    return failed == 0 ? 0 : 1;
  }

  /// Whether a pair's file can be had: if so, it was the writing that failed.
  private static boolean readable(Source source, int i) {
    try {
      var file = source.file(i);
      if (file.isEmpty() || extension(file.get()) == null) source.picture(i);
      return true;
    } catch (IOException e) { return false; }
  }

  /// By the first bytes; null where it is none that OpenCLIP looks for.
  private static String extension(byte[] file) {
    if (starts(file, 0, 0xff, 0xd8, 0xff)) return "jpg";
    if (starts(file, 0, 0x89, 'P', 'N', 'G')) return "png";
    return starts(file, 0, 'R', 'I', 'F', 'F') && starts(file, 8, 'W', 'E', 'B', 'P') ? "webp" : null;
  }

  private static boolean starts(byte[] file, int at, int... bytes) {
    if (file.length < at + bytes.length) return false;
    for (int i = 0; i < bytes.length; i++) if ((file[at + i] & 255) != bytes[i]) return false;
    return true;
  }

  private static byte[] png(Pixels pixels) throws IOException {
    var image = new BufferedImage(pixels.width(), pixels.height(), BufferedImage.TYPE_INT_RGB);
    byte[] rgb = pixels.rgb();
    for (int i = 0; i < rgb.length; i += 3)
      image.setRGB(i / 3 % pixels.width(), i / 3 / pixels.width(),
          (rgb[i] & 255) << 16 | (rgb[i + 1] & 255) << 8 | rgb[i + 2] & 255);
    var bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    return bytes.toByteArray();
  }
}
