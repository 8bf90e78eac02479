package jacquard.clip.eval.layouts;

import jacquard.clip.data.shards.ShardFile;
import jacquard.clip.data.shards.ShardIndex;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;

/// CLIP_benchmark's layout: `SPLIT/nshards.txt`, `SPLIT/0.tar` …, `classnames.txt`,
/// `zeroshot_classification_templates.txt`, and `dataset_type.txt` (`classification` where it is not there,
/// `multilabel` or `retrieval`). Of a sample: `webp`, `png`, `jpg` or `jpeg`; `cls` a number, `npy` of zeros and ones,
/// or `txt` a caption a line. DataComp's `npy` beside `cls` says the groups of a picture.
final class WebDataset implements Layout {
  static final String COUNT = "nshards.txt", TYPE = "dataset_type.txt";
  static final List<String> PICTURES = List.of("webp", "png", "jpg", "jpeg");
  private static final int MOST_SHARDS = 100_000;

  /// A sample of a shard.
  private record Sample(ShardFile shard, ShardIndex.Sample sample) {
    String called() { return shard.name() + ", sample " + sample.key(); }

    byte[] read(String extension, int most) throws IOException {
      var part = sample.first(List.of(extension));
      if (part == null) return null;
      if (part.length() > most) throw new IOException("%s: .%s has %,d bytes, expected at most %,d".formatted(called(),
          extension, part.length(), most));
      return shard.read(part.at(), (int) part.length());
    }

    String text(String extension, int most) throws IOException {
      byte[] bytes = read(extension, most);
      if (bytes == null) throw new IOException(called() + " has no ." + extension);
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }

  @Override public boolean is(Place place) {
    return place.splits().stream().anyMatch(s -> Files.exists(s.resolve(COUNT)) || Files.exists(s.resolve("0.tar")));
  }

  @Override public TestSet read(Place place) throws IOException {
    var split = place.splits().stream().filter(s -> Files.exists(s.resolve(COUNT)) || Files.exists(s.resolve("0.tar")))
        .findFirst().orElseThrow();
    var samples = new ArrayList<Sample>();
    var mark = new Fingerprint();
    for (int i = 0; i < shards(split.resolve(COUNT)); i++) add(split.resolve(i + ".tar"), samples, mark);
    if (samples.isEmpty()) throw new IOException(split + " holds no sample");
    var type = type(place);
    var prompts = type == Benchmark.Kind.RETRIEVAL ? null : OwnPrompts.of(place);
    var truth = switch (type) {
      case RETRIEVAL -> captions(samples);
      case MULTILABEL -> several(samples);
      case OBJECTIVES -> new Truth.Described(described(samples));
      default -> labels(samples, prompts == null ? Integer.MAX_VALUE : prompts.size());
    };
    return new TestSet(place.set().known() ? place.set() : place.set().kind(type, main(type)), place.folder(),
        samples.size(),
        i -> picture(samples.get(i)), truth, prompts, mark.toString());
  }

  private static String main(Benchmark.Kind kind) {
    return switch (kind) {
      case RETRIEVAL -> "mean_recall@1";
      case MULTILABEL -> "mean_average_precision";
      default -> "acc1";
    };
  }

  private static int shards(Path file) throws IOException {
    if (!Files.exists(file)) throw new IOException(file + " is missing: it holds how many shards there are");
    var text = TextFile.text(file).strip();
    if (!text.matches("\\d{1,6}") || Integer.parseInt(text) > MOST_SHARDS || Integer.parseInt(text) == 0)
      throw new IOException(file + " is \"" + (text.length() > 40 ? text.substring(0, 40) + "…" : text)
          + "\", expected the number of shards");
    return Integer.parseInt(text);
  }

  private static void add(Path tar, List<Sample> to, Fingerprint mark) throws IOException {
    if (!Files.exists(tar)) throw new IOException(tar + " is missing, though " + COUNT + " counts it");
    var shard = new ShardFile.OnDisk(tar);
    var index = ShardIndex.of(shard);
    if (!index.broken().isEmpty()) throw new IOException(tar + " ends early, and samples are lost: " + index.broken());
    mark.add(tar.getFileName() + " " + index.state().size() + " " + index.state().stamp());
    for (var s : index.samples()) {
      if (s.first(PICTURES) == null) throw new IOException(tar + ", sample " + s.key()
          + " has no picture, expected one of "
          + String.join(", ", PICTURES));
      to.add(new Sample(shard, s));
    }
  }

  private static Benchmark.Kind type(Place place) throws IOException {
    var file = place.folder().resolve(TYPE);
    if (!Files.exists(file)) {
      var kind = place.set().kind();
      return switch (kind) {
        case RETRIEVAL, MULTILABEL, OBJECTIVES -> kind;
        default -> Benchmark.Kind.CLASSIFICATION;
      };
    }
    var text = TextFile.text(file).strip().toLowerCase(Locale.ROOT);
    return switch (text) {
      case "classification" -> place.set().kind() == Benchmark.Kind.OBJECTIVES ? place.set().kind()
          : Benchmark.Kind.CLASSIFICATION;
      case "multilabel" -> Benchmark.Kind.MULTILABEL;
      case "retrieval" -> Benchmark.Kind.RETRIEVAL;
      default -> throw new IOException(file + " is \"" + text + "\", expected classification, multilabel or retrieval");
    };
  }

  private static Picture picture(Sample s) throws IOException {
    var part = s.sample.first(PICTURES);
    if (part.length() > 1 << 30) throw new IOException(s.called()
        + ": a picture of %,d bytes".formatted(part.length()));
    return Images.read(s.shard.read(part.at(), (int) part.length()), s.called());
  }

  private static Truth labels(List<Sample> samples, int classes) throws IOException {
    var r = new int[samples.size()];
    var groups = new LinkedHashMap<String, Truth.Grouping>();
    for (int i = 0; i < r.length; i++) {
      var s = samples.get(i);
      var text = s.text("cls", 64).strip();
      if (!text.matches("-?\\d{1,9}")) throw new IOException(s.called() + ": .cls is \"" + text
          + "\", expected a number");
      r[i] = Integer.parseInt(text);
      if (r[i] < 0 || r[i] >= classes)
        throw new IOException("%s: the label %d is outside the %,d classes (0 to %,d)".formatted(s.called(), r[i],
            classes, classes - 1));
      described(s, i, r.length, groups);
    }
    return new Truth.Labels(r, groups);
  }

  /// DataComp's numbers of a sample. Whether it has any.
  private static boolean described(Sample s, int i, int count, SequencedMap<String, Truth.Grouping> to)
      throws IOException {
    byte[] more = s.read("npy", 1 << 16);
    if (more == null) return false;
    double[] values = Npy.numbers(more, s.called() + ".npy");
    for (int k = 0; k < values.length; k++) to.computeIfAbsent("metadata_" + k,
        _ -> new Truth.Grouping(new int[count], List.of())).of()[i] = (int) values[k];
    return true;
  }

  private static SequencedMap<String, Truth.Grouping> described(List<Sample> samples) throws IOException {
    var r = new LinkedHashMap<String, Truth.Grouping>();
    for (int i = 0; i < samples.size(); i++)
      if (!described(samples.get(i), i, samples.size(), r))
        throw new IOException(samples.get(i).called() + " has no .npy that says what is known of it");
    return r;
  }

  private static Truth several(List<Sample> samples) throws IOException {
    var r = new boolean[samples.size()][];
    for (int i = 0; i < r.length; i++) {
      var s = samples.get(i);
      byte[] bytes = s.read("npy", 1 << 20);
      if (bytes == null) throw new IOException(s.called() + " has no .npy with its labels");
      double[] values = Npy.numbers(bytes, s.called() + ".npy");
      r[i] = new boolean[values.length];
      for (int c = 0; c < values.length; c++) {
        if (values[c] != 0 && values[c] != 1) throw new IOException(s.called() + ".npy: " + values[c]
            + ", expected 0 or 1");
        r[i][c] = values[c] == 1;
      }
      if (r[i].length != r[0].length) throw new IOException(s.called() + " has " + r[i].length + " labels, expected "
          + r[0].length);
    }
    return new Truth.Several(r);
  }

  private static Truth captions(List<Sample> samples) throws IOException {
    var r = new ArrayList<List<String>>();
    for (var s : samples) {
      var lines = s.text("txt", 1 << 20).lines().toList();
      if (lines.isEmpty()) throw new IOException(s.called() + " has no caption");
      r.add(lines);
    }
    return new Truth.Captions(r);
  }
}
