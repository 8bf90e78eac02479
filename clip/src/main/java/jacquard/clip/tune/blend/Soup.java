package jacquard.clip.tune.blend;

import jacquard.clip.model.ClipModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// The mean of several models that were fine-tuned from one (Wortsman et al. 2022): of all, or greedily of those that
/// help.
public final class Soup {
  /// How good a model is, the larger the better.
  public interface Measure { double of(ClipModel model) throws IOException; }

  /// @param models  whose mean it is, by their numbers, in the order in which they were taken in
  /// @param measure of the mean
  public record Greedy(List<Integer> models, double measure) {}

  private Soup() {}

  public static ClipModel uniform(List<ClipModel> models) {
    double[] shares = new double[models.size()];
    Arrays.fill(shares, 1.0 / shares.length);
    return Blend.of(models, shares);
  }

  /// From the best on, each model is taken in if the mean with it is strictly better. Of equal ones the first comes
  /// first.
  public static Greedy greedy(List<ClipModel> models, Measure measure) throws IOException {
    double[] alone = new double[models.size()];
    for (int i = 0; i < alone.length; i++) alone[i] = measure.of(models.get(i));
    var order = new ArrayList<Integer>();
    for (int i = 0; i < alone.length; i++) order.add(i);
    order.sort(Comparator.comparingDouble((Integer i) -> -alone[i]));
    var taken = new ArrayList<>(List.of(order.getFirst()));
    double best = alone[order.getFirst()];
    for (int i : order.subList(1, order.size())) {
      taken.add(i);
      double with = measure.of(uniform(taken.stream().map(models::get).toList()));
      if (with > best) best = with;
      else taken.removeLast();
    }
    return new Greedy(List.copyOf(taken), best);
  }
}
