package jacquard.clip.train.parameter;

import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.TextTower;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// Towers that are not trained, or only their last groups (Zhai et al. 2022, LiT), as OpenCLIP's `--lock-image` and
/// `--lock-text`.
///
/// A tower's groups, from input to output: embeddings; each transformer block or ResNet stage, the last block with the
/// final norm; the projection (of a ResNet: the attention pool). Groups are unlocked from the output on.
///
/// @param image how many groups of the image tower are trained all the same; empty where it is not locked
/// @param text the same of the text tower
/// @param fixedStatistics whether the batch norms of locked groups keep their running statistics and normalise with
///   them; else they gather statistics though their weights stay
/// @param poolerApart whether the text tower's pooler stands below its head, see [TextTower#poolerApart]
public record Locks(OptionalInt image, OptionalInt text, boolean fixedStatistics, boolean poolerApart) {
  public Locks(OptionalInt image, OptionalInt text, boolean fixedStatistics) {
    this(image, text, fixedStatistics, false);
  }

  public static final Locks NONE = new Locks(OptionalInt.empty(), OptionalInt.empty(), false);

  /// Globs of the paths that are not trained.
  ///
  /// @throws IllegalArgumentException if a tower has fewer groups than are to be unlocked
  public List<String> frozen(ClipModel model) {
    var r = new ArrayList<String>();
    if (image.isPresent()) r.addAll(frozen("image", "visual.", model.visual().groups(), image.getAsInt()));
    if (text.isPresent() && model.text() == null)
      throw new IllegalArgumentException("--lock-text: this model has no text tower");
    if (text.isPresent()) r.addAll(frozen("text", "text.", poolerApart ? model.text().poolerApart()
        : model.text().groups(), text.getAsInt()));
    return r;
  }

  /// The model as these locks train it.
  public ClipModel of(ClipModel model) {
    return fixedStatistics && image.isPresent() ? model.fixedStatistics(model.visual().groups()
        .size() - image.getAsInt()) : model;
  }

  private static List<String> frozen(String tower, String prefix, List<List<String>> groups, int unlocked) {
    if (unlocked < 0 || unlocked > groups.size())
      throw new IllegalArgumentException(unlocked + " unlocked groups of the " + tower + " tower, expected 0 to "
          + groups.size() + ", which are all");
    return groups.subList(0, groups.size() - unlocked).stream().flatMap(List::stream).map(prefix::concat).toList();
  }
}
