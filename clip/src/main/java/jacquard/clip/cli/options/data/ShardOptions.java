package jacquard.clip.cli.options.data;

import jacquard.clip.data.parquet.Columns;
import jacquard.clip.data.parquet.Keeps;
import jacquard.clip.data.parquet.Scores;
import jacquard.clip.data.parquet.Uids;
import jacquard.clip.data.shards.BlockCache;
import jacquard.clip.data.shards.Fields;
import jacquard.clip.data.shards.ShardNames;
import jacquard.clip.data.shards.Shards;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Option;

/// What the samples of shards are.
public final class ShardOptions {
  @Option(names = "--image-key", paramLabel = "EXT;…", description =
      "Extensions of pictures in shards, the first that is there wins (default: ${DEFAULT-VALUE}).")
  String images = String.join(";", Fields.DEFAULT.images());
  @Option(names = "--text-key", paramLabel = "EXT;…", description = "The same of captions (default: ${DEFAULT-VALUE}).")
  String texts = String.join(";", Fields.DEFAULT.texts());
  @Option(names = "--json-text-key", paramLabel = "KEY;…", description =
      "Takes captions from the samples' .json: the first of these keys that holds a text.")
  String json;
  @Option(names = "--json-text-key-probs", paramLabel = "P;…", description =
      "Weights of these keys: those above 0 are looked up first, in an order drawn by them for every sample anew.")
  String weights;
  @Option(names = "--max-image-pixels", paramLabel = "N", description =
      "Pictures in shards of more pixels are left out, before they are decoded (default: ${DEFAULT-VALUE}).")
  long pixels = Fields.DEFAULT.maximumPixels();

  @Option(names = "--min-score", paramLabel = "COLUMN=X", description =
      "Keeps the samples whose number in a column of the Parquet file beside their shard (0.tar, 0.parquet) is X or "
      + "more: clip_l14_similarity_score=0.25. What is no column there is an array of the .npz beside it: a number a row, "
      + "or l14=0.25 for the cosines of l14_img and l14_txt.")
  String score;
  @Option(names = "--uids", paramLabel = "FILE", description =
      "Keeps the samples whose uid, a column of that Parquet file, is in a list, as DataComp gives its subsets: .npy, or "
      + "a text file with a uid a line.")
  Path uids;
  @Option(names = "--parquet-text-key", paramLabel = "COLUMN", description =
      "Takes captions from a column of that Parquet file, not from the shards.")
  String column;
  @Option(names = "--allow-pipes", description =
      "Runs the commands of shards named pipe:COMMAND, each once, and keeps what they write. A command may do anything "
      + "that you may.")
  boolean pipes;
  @Option(names = "--shard-cache", paramLabel = "FOLDER", description =
      "Where blocks of shards behind https:// and s3:// are kept (default: ${DEFAULT-VALUE}).")
  Path cache = Path.of(System.getProperty("java.io.tmpdir"), "jacquard-shards");
  @Option(names = "--shard-cache-size", paramLabel = "GB", description =
      "The most that the folder may hold; the shards that were last read longest ago are deleted first (default: ${DEFAULT-VALUE}).")
  double gigabytes = 20;

  public Fields fields() {
    if (weights != null && json == null)
      throw new IllegalArgumentException("--json-text-key-probs needs --json-text-key");
    if (pixels < 1) throw new IllegalArgumentException("--max-image-pixels " + pixels + ", expected at least 1");
    return new Fields(parts("--image-key", images), parts("--text-key", texts), json == null ? List.of()
        : parts("--json-text-key", json),
        weights == null ? List.of() : parts("--json-text-key-probs", weights).stream().map(w ->
        number("--json-text-key-probs", w)).toList(), pixels);
  }

  /// Shards by their names, all with the factor 1.
  public Shards open(String data) throws IOException {
    return open(data, List.of(new Shards.From(ShardNames.expand(data), 1)));
  }

  public Shards open(String data, List<Shards.From> sources) throws IOException {
    ShardNames.distinct(sources.stream().map(Shards.From::names).toList());
    boolean remote = sources.stream().flatMap(s -> s.names().stream())
        .anyMatch(Shards::elsewhere);
    return Shards.open(data, sources, fields(),
        remote ? new BlockCache(cache, (long) (gigabytes * 1e9)).commands(pipes) : null,
        columns());
  }

  private Columns columns() throws IOException {
    if (column != null && json != null)
      throw new IllegalArgumentException("--parquet-text-key and --json-text-key exclude each other; give one of them");
    var keeps = new ArrayList<Keeps>();
    if (score != null) keeps.add(Scores.parse(score));
    if (uids != null) keeps.add(Uids.read(uids));
    return new Columns(keeps, column);
  }

  private static List<String> parts(String option, String value) {
    var r = Arrays.stream(value.split("[;,]")).map(String::strip).filter(s -> !s.isEmpty()).toList();
    if (r.isEmpty()) throw new IllegalArgumentException(option + " \"" + value + "\", expected names apart by ;");
    return r;
  }

  public static double number(String option, String value) {
    try { return Double.parseDouble(value); }
    catch (NumberFormatException e) {
      throw new IllegalArgumentException(option + ": \"" + value + "\" is no number", e);
    }
  }
}
