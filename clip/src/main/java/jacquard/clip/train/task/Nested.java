package jacquard.clip.train.task;

import jacquard.clip.model.ClipModel;
import jacquard.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// Matryoshka learning (Kusupati et al. 2022; of pictures and texts in jina-clip): the sum of a loss over the first
/// numbers of each feature, normalised again, so that features may be cut short.
///
/// @param task   whose features are all of one width
/// @param widths how many of the first numbers, each once
public record Nested(Task task, List<Integer> widths) implements Around {
  public Nested {
    widths = List.copyOf(widths);
    for (int w : widths)
      if (w < 1) throw new IllegalArgumentException("features of " + w + " numbers, expected 1 or more");
    if (widths.isEmpty() || widths.stream().distinct().count() < widths.size())
      throw new IllegalArgumentException("widths " + widths + ", expected some, each once");
  }

  @Override public String name() { return task.name() + ", nested " + widths; }
  @Override public Nested of(ClipModel model) { return new Nested(task.of(model), widths); }

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    int whole = features.own().getFirst().dim(1);
    var r = new LinkedHashMap<String, Tensor>();
    for (int w : widths) {
      if (w > whole) throw new IllegalArgumentException("features of " + w + " numbers, and the model's have " + whole);
      var some = w == whole ? features : features.whole() ? Joined.alone(cut(features.own(), w))
          : new Joined(cut(features.own(), w), cut(features.all(), w), features.first());
      task.losses(some, targets, groups).forEach((name, loss) -> r.put(name + "_" + w, loss));
    }
    return r;
  }

  private static List<Tensor> cut(List<Tensor> features, int width) {
    return features.stream().map(f -> f.slice(1, 0, width).normalize()).toList();
  }
}
