package jacquard.clip.eval;

import jacquard.clip.data.Source;
import jacquard.clip.report.Progress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Zero-shot classification over the names of a source, and retrieval both ways.
///
/// @param names  what an image may be: the distinct captions, and possibly names of no image
/// @param samples the numbers of the images in the source; those that cannot be read are left out
/// @param labels for each image the number of its caption
/// @param scores cosines `[images][names]`
public record Evaluation(List<String> names, int[] samples, int[] labels, float[][] scores) {
  public static Evaluation of(Embedder embedder, Source source) throws IOException { return of(embedder, source, Templates.NONE, null); }

  /// @param templates sentences around the names
  /// @param progress  advanced by images and names; null for none
  public static Evaluation of(Embedder embedder, Source source, Templates templates, Progress progress) throws IOException {
    var names = source.names();
    var number = new HashMap<String, Integer>();
    for (var n : names) number.put(n, number.size());
    var failures = new Failures();
    float[][] features = embedder.readable(source.size(), source::picture, failures, progress);
    int[] samples = IntStream.range(0, features.length).filter(i -> features[i] != null).toArray(), labels = new int[samples.length];
    if (samples.length == 0) throw new IOException("none of the " + source.size() + " pictures of " + source.name() + " could be read: " + failures.first());
    for (int k = 0; k < labels.length; k++) {
      var caption = source.caption(samples[k]);
      var label = number.get(caption);
      if (label == null) throw new IllegalArgumentException("caption " + samples[k] + " of " + source.name() + ", \"" + caption + "\", is not among its " + names.size() + " names");
      labels[k] = label;
    }
    float[][] read = IntStream.of(samples).mapToObj(i -> features[i]).toArray(float[][]::new);
    return new Evaluation(names, samples, labels, Ranking.scores(read, embedder.labels(names, templates, progress)));
  }

  /// Metric → value, in the order in which people read them.
  public Map<String, Double> metrics() {
    int[] all = IntStream.range(0, names.size()).toArray(), drawn = drawn();
    float[][] byText = new float[drawn.length][labels.length];
    for (int i = 0; i < labels.length; i++) for (int j = 0; j < drawn.length; j++) byText[j][i] = scores[i][drawn[j]];
    var m = new LinkedHashMap<String, Double>();
    m.put("top1", Ranking.recall(scores, labels, all, 1));
    m.put("top5", Ranking.recall(scores, labels, all, 5));
    m.put("text_to_image_r1", Ranking.recall(byText, drawn, labels, 1));
    m.put("text_to_image_r5", Ranking.recall(byText, drawn, labels, 5));
    m.put("text_to_image_r10", Ranking.recall(byText, drawn, labels, 10));
    return m;
  }

  /// The numbers of the names that some image has.
  public int[] drawn() { return IntStream.of(labels).distinct().sorted().toArray(); }

  public double chance() { return 1.0 / names.size(); }

  /// The numbers of the `k` images that score best for a name, best first; or worst, worst first.
  public List<Integer> ranked(int name, int k, boolean best) {
    var order = new ArrayList<Integer>();
    for (int i = 0; i < labels.length; i++) order.add(i);
    order.sort((a, b) -> best ? Float.compare(scores[b][name], scores[a][name]) : Float.compare(scores[a][name], scores[b][name]));
    return List.copyOf(order.subList(0, Math.min(k, order.size())));
  }
}
