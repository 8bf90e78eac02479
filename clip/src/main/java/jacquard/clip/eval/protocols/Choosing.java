package jacquard.clip.eval.protocols;

import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Failures;
import jacquard.clip.eval.features.Subject;
import jacquard.clip.eval.metrics.Accuracy;
import jacquard.clip.eval.metrics.Bootstrap;
import jacquard.clip.eval.metrics.Selection;
import jacquard.clip.eval.sets.TestSet;
import jacquard.clip.eval.sets.Truth;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// Few captions beside few pictures: `text_acc`, every picture picks its caption; `image_acc`, every caption its
/// picture; `acc`, both; `macro_acc`, the mean of `text_acc` over groups, where there are some.
public final class Choosing implements Protocol {
  @Override public String task() { return "image_caption_selection"; }

  @Override public Measured of(Subject subject, Parts parts, Advance advance) throws IOException {
    if (!(parts.test().truth() instanceof Truth.Choices truth))
      throw new IOException(parts.test().folder() + " has no choices, expected some for " + task());
    var pictures = pictures(subject, parts.test(), advance);
    var captions = truth.of().stream().flatMap(c -> c.captions().stream()).distinct().toList();
    var number = new HashMap<String, Integer>();
    captions.forEach(c -> number.put(c, number.size()));
    float[][] texts = subject.features().texts(captions, subject.embedder(), advance);
    var seen = new ArrayList<Integer>();
    for (int i = 0; i < truth.of().size(); i++)
      if (Arrays.stream(truth.of().get(i).pictures()).allMatch(p -> pictures[p] != null)) seen.add(i);
    if (seen.isEmpty()) throw new IOException("no picture of " + parts.test().folder() + " could be read");
    boolean[] text = new boolean[seen.size()], image = new boolean[seen.size()], both = new boolean[seen.size()];
    for (int i = 0; i < text.length; i++) {
      var c = truth.of().get(seen.get(i));
      var scores = Selection.scores(IntStream.of(c.pictures()).mapToObj(p -> pictures[p]).toArray(float[][]::new),
          c.captions().stream().map(t -> texts[number.get(t)]).toArray(float[][]::new));
      text[i] = Selection.captionsPicked(scores);
      image[i] = Selection.picturesPicked(scores);
      both[i] = text[i] && image[i];
    }
    var r = Measured.empty(text.length, truth.of().size() - text.length);
    r.metrics().put("image_acc", Accuracy.of(image));
    r.metrics().put("text_acc", Accuracy.of(text));
    r.metrics().put("acc", Accuracy.of(both));
    r.intervals().put("acc", Bootstrap.of(both));
    if (!truth.groups().isEmpty()) groups(r, seen.stream().map(truth.groups()::get).toList(), text);
    return r;
  }

  static float[][] pictures(Subject subject, TestSet set, Advance advance) throws IOException {
    return subject.features().pictures(set, subject.embedder(), new Failures(), advance);
  }

  private static void groups(Measured to, List<String> names, boolean[] right) {
    var hits = new TreeMap<String, int[]>();
    for (int i = 0; i < right.length; i++) if (!names.get(i).isEmpty()) {
      var n = hits.computeIfAbsent(names.get(i), _ -> new int[2]);
      n[0]++;
      if (right[i]) n[1]++;
    }
    var each = new LinkedHashMap<String, Double>();
    hits.forEach((name, n) -> each.put(name, n[1] / (double) n[0]));
    to.metrics().put("macro_acc", each.values().stream().mapToDouble(a -> a).average().orElse(Double.NaN));
    to.groups().put("text_acc", each);
  }
}
