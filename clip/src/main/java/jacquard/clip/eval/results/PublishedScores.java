package jacquard.clip.eval.results;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Figures that OpenCLIP publishes of a checkpoint: DataComp's main metric of each of its 38 data sets, and their mean.
///
/// @param scores by data set, of DataComp's names; `datacomp` is the mean
public record PublishedScores(String model, String pretrained, Map<String, Double> scores) {
  private static final List<PublishedScores> ALL = read();

  /// All, the best mean first.
  public static List<PublishedScores> all() { return ALL; }

  public static Optional<PublishedScores> of(String model, String pretrained) {
    return ALL.stream().filter(p -> p.model.equals(model) && p.pretrained.equals(pretrained)).findFirst();
  }

  private static List<PublishedScores> read() {
    try (var in = PublishedScores.class.getResourceAsStream("published.csv")) {
      if (in == null) throw new IllegalStateException("the jar lacks published.csv");
      var lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().map(l -> l.split(",", -1)).toList();
      var r = new ArrayList<PublishedScores>();
      for (var f : lines.subList(1, lines.size())) {
        var scores = new LinkedHashMap<String, Double>();
        for (int i = 2; i < f.length; i++) if (!f[i].isEmpty())
          scores.put(lines.getFirst()[i], Double.parseDouble(f[i]));
        r.add(new PublishedScores(f[0], f[1], scores));
      }
      return List.copyOf(r);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The score of a data set by any of its names; NaN where there is none.
  public double score(String dataset) {
    var exact = scores.get(dataset);
    if (exact != null) return exact;
    return scores.entrySet().stream().filter(e -> bare(e.getKey()).equals(bare(dataset)))
        .mapToDouble(Map.Entry::getValue).findFirst()
        .orElse(Double.NaN);
  }

  private static String bare(String name) { return name.replaceFirst("^(wds/)?(vtab/)?", ""); }
}
