package jacquard.clip.eval;

import jacquard.clip.data.Source;
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
/// @param labels for each image the number of its caption
/// @param scores cosines `[images][names]`
public record Evaluation(List<String> names, int[] labels, float[][] scores) {
  public static Evaluation of(Embedder embedder, Source source) throws IOException {
    var names = source.names();
    var number = new HashMap<String, Integer>();
    for (var n : names) number.put(n, number.size());
    int[] labels = new int[source.size()];
    for (int i = 0; i < labels.length; i++) {
      var label = number.get(source.caption(i));
      if (label == null) throw new IllegalArgumentException("caption " + i + " of " + source.name() + ", \"" + source.caption(i) + "\", is not among its " + names.size() + " names");
      labels[i] = label;
    }
    return new Evaluation(names, labels, Ranking.scores(embedder.images(source.size(), source::picture, null), embedder.texts(names, null)));
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
