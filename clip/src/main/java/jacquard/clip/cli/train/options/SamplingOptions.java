package jacquard.clip.cli.train.options;

import jacquard.clip.cli.options.data.DataOptions;
import jacquard.clip.cli.options.data.ShardOptions;
import jacquard.clip.data.Batches;
import jacquard.clip.data.Framing;
import jacquard.clip.data.Preparation;
import jacquard.clip.data.Stream;
import jacquard.clip.data.shards.ShardNames;
import jacquard.clip.data.shards.ShardStream;
import jacquard.clip.data.shards.Shards;
import jacquard.clip.data.source.ChosenCaptions;
import jacquard.clip.data.source.Source;
import jacquard.clip.text.Tokenizer;
import jacquard.clip.text.augment.CaptionAugmentation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/// What an epoch of a training takes from its data.
public final class SamplingOptions {
  /// Lanes at most where steps are not alike.
  private static final int LANES = 64;
  private static final List<String> TYPES = List.of("auto", "webdataset", "csv");

  @Option(names = "--dataset-type", paramLabel = "TYPE", description =
      "webdataset, csv, or auto: shards where --train-data names a .tar (default: ${DEFAULT-VALUE}).")
  String type = "auto";
  @Option(names = "--train-num-samples", paramLabel = "N", description =
      "Pairs an epoch of shards (default: all; their indices tell how many).")
  long samples;
  @Option(names = "--train-data-upsampling-factors", paramLabel = "F::…", description =
      "How often each source of shards, apart by ::, appears in an epoch; with --dataset-resampled the weight of "
          + "each of its shards.")
  String factors;
  @Option(names = "--dataset-resampled", description =
      "Draws shards with replacement, as OpenCLIP does for several sources. Without it every pair is read once an "
      + "epoch, or as often as its source's factor says.")
  boolean resampled;
  @Option(names = "--shard-lanes", paramLabel = "N", description =
      "Places in the shards that are read at the same time, a divisor of a step's pairs (default: 1 where the set "
      + "fits into a machine's memory, and then pairs are read in any order; else up to 256).")
  int lanes;
  @Option(names = "--shard-window", paramLabel = "N", description =
      "Pairs that are shuffled at a time in each lane (default: all with one lane, else 2048).")
  long window;

  /// What is trained on.
  public interface Data {
    String name();
    /// Pairs an epoch.
    long size();
    Stream.Numbered stream(Framing.Whole framing, CaptionAugmentation captions, Tokenizer tokenizer,
        Size size) throws IOException;
    /// Pairs of the shortest steps that it can be read in.
    int least();
  }

  /// @param batch   pairs a step
  /// @param context ids a caption
  public record Size(int batch, int context, long seed) {}

  /// @param choice whether a picture's captions are one sample
  public Data data(String name, DataOptions options, boolean choice) throws IOException {
    if (!TYPES.contains(type))
      throw new IllegalArgumentException("--dataset-type " + type + ", expected one of " + String.join(", ", TYPES));
    if (samples < 0 || lanes < 0 || window < 0)
      throw new IllegalArgumentException("--train-num-samples, --shard-lanes and --shard-window are numbers above 0");
    if (type.equals("webdataset") || type.equals("auto") && ShardNames.in(name))
      return new OfShards(shards(name, options.shards), new Shards.Epochs(samples, resampled, lanes, window));
    if (samples > 0 || factors != null || resampled || lanes > 0 || window > 0)
      throw new IllegalArgumentException(
          "--train-num-samples, --train-data-upsampling-factors, --dataset-resampled and --shard-… are for shards, and "
          + name + " names none (a .tar)");
    var source = options.source(name);
    return new OfSource(choice ? ChosenCaptions.of(source) : source);
  }

  private Shards shards(String name, ShardOptions options) throws IOException {
    if (factors == null) return options.open(name);
    var sources = ShardNames.sources(name);
    var each = factors.split("::");
    if (each.length != sources.size())
      throw new IllegalArgumentException("--train-data-upsampling-factors " + factors + ": " + each.length
          + " factors for " + sources.size() + " sources of --train-data");
    var r = new ArrayList<Shards.From>();
    for (int i = 0; i < each.length; i++) {
      double f = ShardOptions.number("--train-data-upsampling-factors", each[i]);
      if (!(f > 0 && f <= 1e6))
        throw new IllegalArgumentException("--train-data-upsampling-factors: " + each[i]
            + ", expected a number above 0");
      r.add(new Shards.From(ShardNames.expand(sources.get(i)), f));
    }
    return options.open(name, r);
  }

  private record OfSource(Source source) implements Data {
    @Override public String name() { return source.name(); }
    @Override public long size() { return source.size(); }
    @Override public int least() { return 1; }
    @Override public Stream.Numbered stream(Framing.Whole framing, CaptionAugmentation captions, Tokenizer tokenizer,
        Size size) {
      return new Batches(source, framing, captions, tokenizer, size.batch, size.context, size.seed);
    }
  }

  private record OfShards(Shards shards, Shards.Epochs how) implements Data {
    @Override public String name() { return shards.name(); }
    @Override public long size() { return shards.perEpoch(how); }
    @Override public int least() { return how.lanes() > 0 ? how.lanes() : LANES; }
    @Override public Stream.Numbered stream(Framing.Whole framing, CaptionAugmentation captions, Tokenizer tokenizer,
        Size size) {
      return new ShardStream(shards, how, size.batch, size.seed, key ->
          new Preparation(framing, captions, tokenizer, size.context, key));
    }
  }
}
