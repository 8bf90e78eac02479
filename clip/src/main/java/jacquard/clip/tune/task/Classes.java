package jacquard.clip.tune.task;

import jacquard.clip.data.source.Source;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;

/// The names that pictures are told apart by: those of the new data, then those of the old. A picture chooses among the
/// names of its own.
///
/// @param names  the new ones, then the old ones; a name that both have is there twice
/// @param fresh  how many are new
/// @param labels of each sample of a [jacquard.clip.data.Mixture] the number of its name
public record Classes(List<String> names, int fresh, int[] labels) {
  private static final float NEVER = -1e4f;

  /// @param old null where there are no old pairs
  public static Classes of(Source fresh, Source old) {
    var names = new ArrayList<>(fresh.names());
    int n = names.size();
    if (old != null) names.addAll(old.names());
    int[] labels = new int[fresh.size() + (old == null ? 0 : old.size())];
    label(fresh, names.subList(0, n), 0, 0, labels);
    if (old != null) label(old, names.subList(n, names.size()), n, fresh.size(), labels);
    return new Classes(List.copyOf(names), n, labels);
  }

  private static void label(Source source, List<String> names, int first, int at, int[] labels) {
    var number = new HashMap<String, Integer>();
    for (var n : names) number.put(n, first + number.size());
    for (int i = 0; i < source.size(); i++) labels[at + i] = number.get(source.caption(i));
  }

  /// 1 at each sample's name, `[samples, names]`.
  Tensor right(int[] samples) {
    float[] r = new float[samples.length * names.size()];
    for (int i = 0; i < samples.length; i++) r[i * names.size() + labels[samples[i]]] = 1;
    return Tensor.of(Shape.of(samples.length, names.size()), r);
  }

  /// What is added to the logits so that each sample chooses among its own names; null where there are no others.
  Tensor own(int[] samples) {
    int n = names.size();
    if (fresh == n) return null;
    float[] r = new float[samples.length * n];
    for (int i = 0; i < samples.length; i++) {
      boolean old = labels[samples[i]] >= fresh;
      Arrays.fill(r, i * n + (old ? 0 : fresh), i * n + (old ? fresh : n), NEVER);
    }
    return Tensor.of(Shape.of(samples.length, n), r);
  }
}
