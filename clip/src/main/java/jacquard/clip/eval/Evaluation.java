package jacquard.clip.eval;

import jacquard.clip.data.Source;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Zero-shot classification over the distinct captions of a source, and retrieval both ways.
///
/// @param names  the distinct captions
/// @param labels for each image the number of its caption
/// @param scores cosines `[images][names]`
public record Evaluation(List<String> names, int[] labels, float[][] scores) {
  public static Evaluation of(Embedder embedder, Source source) throws IOException {
    var known = new LinkedHashMap<String, Integer>();
    int[] labels = new int[source.size()];
    for (int i = 0; i < labels.length; i++) labels[i] = known.computeIfAbsent(source.caption(i), _ -> known.size());
    var names = List.copyOf(known.keySet());
    return new Evaluation(names, labels, Ranking.scores(embedder.images(source.size(), source::picture, null), embedder.texts(names, null)));
  }

  /// Metric → value, in the order in which people read them.
  public Map<String, Double> metrics() {
    int[] all = java.util.stream.IntStream.range(0, names.size()).toArray();
    float[][] byText = new float[names.size()][labels.length];
    for (int i = 0; i < labels.length; i++) for (int j = 0; j < all.length; j++) byText[j][i] = scores[i][j];
    var m = new LinkedHashMap<String, Double>();
    m.put("top1", Ranking.recall(scores, labels, all, 1));
    m.put("top5", Ranking.recall(scores, labels, all, 5));
    m.put("text_to_image_r1", Ranking.recall(byText, all, labels, 1));
    m.put("text_to_image_r5", Ranking.recall(byText, all, labels, 5));
    m.put("text_to_image_r10", Ranking.recall(byText, all, labels, 10));
    return m;
  }

  public double chance() { return 1.0 / names.size(); }

  /// The numbers of the `k` images that score best for a name, best first; or worst, worst first.
  public List<Integer> ranked(int name, int k, boolean best) {
    var order = new ArrayList<Integer>();
    for (int i = 0; i < labels.length; i++) order.add(i);
    order.sort((a, b) -> best ? Float.compare(scores[b][name], scores[a][name]) : Float.compare(scores[a][name], scores[b][name]));
    return List.copyOf(order.subList(0, Math.min(k, order.size())));
  }
}
