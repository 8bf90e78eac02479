package jacquard.clip.cli.weights;

import jacquard.clip.checkpoint.Conversion;
import jacquard.clip.checkpoint.Conversion.Layout;
import jacquard.clip.checkpoint.files.NewFolder;
import jacquard.clip.hub.Hub;
import jacquard.clip.hub.Published;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Writes a model in another layout.
@Command(name = "convert", mixinStandardHelpOptions = true, sortOptions = false)
public final class ConvertCommand implements Callable<Integer> {
  private static final Map<String, Layout> LAYOUTS =
      Map.of("open_clip", Layout.OPEN_CLIP, "hf", Layout.HF, "pt", Layout.PT);

  @Parameters(index = "0", paramLabel = "FROM", description =
      "What eval takes for MODEL: a folder, a file, hf-hub:ORG/NAME, or a name with --pretrained.")
  String from;
  @Parameters(index = "1", paramLabel = "TO", description = "A folder to be made; for pt a file. It must not be there.")
  Path to;
  @Option(names = "--pretrained", paramLabel = "TAG", description =
      "Of a model's name: the tag of published weights, or a file of weights.")
  String pretrained;
  @Option(names = "--format", paramLabel = "FORMAT", required = true, description =
      "open_clip: a folder for OpenCLIP and Jacquard; hf: a folder for transformers (CLIP and SigLIP); pt: a state "
      + "dict as torch.save writes it.")
  String format;
  @Option(names = "--half", description = "Floats of 16 bits (FP16), but for the scale and the bias.") boolean half;
  @Option(names = "--shard-size", paramLabel = "SIZE", description =
      "The most that a file of weights holds, as 5GB or 500MB; larger models become several files and an index (default: one file).")
  String shard;

  @Override public Integer call() throws IOException {
    var layout = LAYOUTS.get(format);
    if (layout == null) throw new IllegalArgumentException("--format " + format + ", expected open_clip, hf or pt");
    if (shard != null && layout == Layout.PT)
      throw new IllegalArgumentException("--shard-size is for open_clip and hf: a .pt is one file");
    if (Files.exists(to)) throw new IllegalArgumentException(to + " is there already; give a new name");
    var conversion = new Conversion(layout, half, shard == null ? 0 : bytes());
    var model = new Published(Hub.current()).files(from, pretrained);
    if (layout == Layout.PT) conversion.write(model, to);
    else NewFolder.write(to, made -> conversion.write(model, made));
    System.out.println(to);
    return 0;
  }

  private long bytes() {
    if (!shard.matches("[1-9]\\d{0,8}(B|KB|MB|GB)"))
      throw new IllegalArgumentException("--shard-size " + shard + ", expected a number and KB, MB or GB, as 5GB");
    long n = Long.parseLong(shard.replaceAll("\\D", ""));
    return shard.endsWith("GB") ? n * 1_000_000_000 : shard.endsWith("MB") ? n * 1_000_000 : shard.endsWith("KB")
        ? n * 1_000 : n;
  }
}
