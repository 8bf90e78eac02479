package jacquard.clip.eval;

import jacquard.clip.data.source.Source;
import jacquard.tensor.Device;
import java.io.IOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;

/// Zero-shot classification over the names of a source, and retrieval both ways. A picture with several captions is one
/// picture: to find any of its captions is a hit.
///
/// @param names    what a picture may be: the distinct captions, and possibly names of no picture
/// @param samples  for each picture the number of its first sample in the source; those that cannot be read are left
///   out
/// @param labels   for each picture the numbers of its captions, ascending
/// @param missing  how many pictures could not be read
/// @param pictures features `[pictures][embedding]`
/// @param texts    features `[names][embedding]`
/// @param metrics  metric → value, in the order in which people read them
public record Evaluation(List<String> names, int[] samples, int[][] labels, int missing, float[][] pictures,
    float[][] texts, Map<String, Double> metrics) {
  /// Pairs that are compared each by itself, at most.
  private static final long PAIRS = 200_000;

  public static Evaluation of(Embedder embedder, Source source) throws IOException {
    return of(embedder, source, Templates.NONE, Advance.UNHEARD);
  }

  /// How many pictures and names an evaluation of a source embeds.
  public static long inputs(Source source) {
    return IntStream.range(0, source.size()).mapToObj(source::group).distinct().count() + source.names().size();
  }

  /// @param templates sentences around the names
  /// @param advance   told of pictures and names
  public static Evaluation of(Embedder embedder, Source source, Templates templates,
      Advance advance) throws IOException {
    var names = source.names();
    var number = new HashMap<String, Integer>();
    for (var n : names) number.put(n, number.size());
    var captions = new LinkedHashMap<Object, TreeSet<Integer>>();                // by picture
    var first = new LinkedHashMap<Object, Integer>();
    for (int i = 0; i < source.size(); i++) {
      var label = number.get(source.caption(i));
      if (label == null)
        throw new IllegalArgumentException("caption " + i + " of " + source.name() + ", \"" + source.caption(i)
            + "\", is not among its " + names.size() + " names");
      captions.computeIfAbsent(source.group(i), _ -> new TreeSet<>()).add(label);
      first.putIfAbsent(source.group(i), i);
    }
    int[] all = first.values().stream().mapToInt(i -> i).toArray();
    int[][] labels = captions.values().stream().map(s -> s.stream().mapToInt(i -> i).toArray()).toArray(int[][]::new);
    var failures = new Failures();
    float[][] features = embedder.readable(all.length, i -> source.picture(all[i]), failures, advance);
    int[] read = IntStream.range(0, all.length).filter(i -> features[i] != null).toArray();
    if (read.length == 0)
      throw new IOException("none of the " + all.length + " pictures of " + source.name() + " could be read: "
          + failures.first());
    return of(names, IntStream.of(read).map(i -> all[i]).toArray(), IntStream.of(read).mapToObj(i -> labels[i])
        .toArray(int[][]::new), all.length - read.length,
        IntStream.of(read).mapToObj(i -> features[i]).toArray(float[][]::new), embedder, templates, advance);
  }

  /// Where a caption's feature depends on the picture and the pairs are few, each pair is compared by itself.
  private static Evaluation of(List<String> names, int[] samples, int[][] labels, int missing, float[][] pictures,
      Embedder embedder, Templates templates, Advance advance) {
    float[][] texts = embedder.labels(names, templates, advance);
    if (!embedder.model().text().perPicture() || (long) pictures.length * names.size() > PAIRS)
      return of(names, samples, labels, missing, pictures, texts, embedder.device());
    return of(names, samples, labels, missing, pictures, texts, Ranking.of(embedder.cosines(pictures, names,
        templates), 10));
  }

  /// Of features that are there.
  public static Evaluation of(List<String> names, int[] samples, int[][] labels, int missing, float[][] pictures,
      float[][] texts, Device device) {
    return of(names, samples, labels, missing, pictures, texts, Ranking.of(pictures, texts, 10, device));
  }

  private static Evaluation of(List<String> names, int[] samples, int[][] labels, int missing, float[][] pictures,
      float[][] texts, Ranking ranking) {
    int[] drawn = drawn(labels);
    Ranking.Match right = (picture, name) -> Arrays.binarySearch(labels[picture], name) >= 0;
    var m = new LinkedHashMap<String, Double>();
    for (int k : new int[] {1, 5}) m.put("top" + k, ranking.rowRecall(right, k));
    for (int k : new int[] {1, 5, 10}) m.put("text_to_image_r" + k, ranking.columnRecall(drawn, right, k));
    return new Evaluation(names, samples, labels, missing, pictures, texts, m);
  }

  /// The numbers of the names that some picture has.
  public int[] drawn() { return drawn(labels); }

  private static int[] drawn(int[][] labels) {
    return Arrays.stream(labels).flatMapToInt(Arrays::stream).distinct().sorted().toArray();
  }

  /// What the first answer is right by guessing: the mean of captions a picture over names.
  public double chance() { return Arrays.stream(labels).mapToInt(l -> l.length).average().orElse(0) / names.size(); }

  /// Whether a picture has a name.
  public boolean right(int picture, int name) { return Arrays.binarySearch(labels[picture], name) >= 0; }

  /// The cosine of a picture and a name.
  public float score(int picture, int name) {
    float s = 0;
    for (int k = 0; k < texts[name].length; k++) s = Math.fma(pictures[picture][k], texts[name][k], s);
    return s;
  }

  /// How many features are not finite, as those of weights that are not: their pictures and names are never found.
  public int nonFinite() { return Embedder.nonFinite(pictures) + Embedder.nonFinite(texts); }

  /// The numbers of the `k` pictures that score best for a name, best first; or worst, worst first. Of equal ones the
  /// lowest number first.
  public List<Integer> ranked(int name, int k, boolean best) {
    var scores = new float[labels.length];
    for (int i = 0; i < scores.length; i++) scores[i] = score(i, name);
    Comparator<Integer> rising = Comparator.comparingDouble(i -> scores[i]);
    return IntStream.range(0, scores.length).boxed().sorted(best ? rising.reversed() : rising).limit(k).toList();
  }
}
