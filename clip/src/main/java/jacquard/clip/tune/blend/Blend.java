package jacquard.clip.tune.blend;

import jacquard.autograd.Parameters;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/// Weights between those of several models of one config, which began from the same.
///
/// Two of them: θ = (1 − α)·θ₀ + α·θ₁ of every floating tensor, statistics of batch norms among them (WiSE-FT, Wortsman
/// et al. 2022; PAINT, Ilharco et al. 2022). Many: their mean
/// (model soups, Wortsman et al. 2022). Counters are the first model's.
public final class Blend {
  private Blend() {}

  /// α = 0 gives the first to the bit, 1 the second.
  public static ClipModel of(ClipModel zero, ClipModel one, double alpha) { return of(List.of(zero, one), 1 - alpha,
      alpha); }

  /// The sum of the models' weights, each with its share.
  public static ClipModel of(List<ClipModel> models, double... shares) {
    var tensors = models.stream().map(m -> Parameters.of(m).all()).toList();
    for (var t : tensors) if (!t.keySet().equals(tensors.getFirst()
        .keySet())) throw new IllegalArgumentException("the models have other tensors: " + difference(tensors));
    return Parameters.map(models.getFirst(), (path, t) -> {
      if (!t.dtype().floating()) return t.copy();
      var all = tensors.stream().map(m -> m.get(path)).toList();
      for (var o : all)
        if (!o.shape().equals(t.shape())) throw new IllegalArgumentException(path + " is " + t.shape() + " and "
            + o.shape() + ": models of one config are blended");
      var values = all.stream().map(Tensor::floats).toList();
      // what is the same in all stays, to the bit
      if (values.stream().allMatch(v -> Arrays.equals(v, values.getFirst()))) return t.copy();
      return Tensor.of(t.shape(), weighted(values, shares));
    });
  }

  /// Σ shareᵢ·xᵢ; what has no share leaves no trace, so that an infinity there does not.
  public static float[] weighted(List<float[]> all, double... shares) {
    float[] r = null;
    for (int i = 0; i < shares.length; i++) {
      float s = (float) shares[i];
      if (s == 0) continue;
      float[] x = all.get(i);
      if (r == null) {
        r = x.clone();
        if (s != 1) for (int k = 0; k < r.length; k++) r[k] *= s;
      } else for (int k = 0; k < r.length; k++) r[k] += s * x[k];
    }
    return r;
  }

  /// Σ shareᵢ·fᵢ·xᵢ / Σ shareᵢ·fᵢ, where f says how much of what a model knows hangs on a weight (Matena and Raffel
  /// 2022).
  ///
  /// @param fisher of each model, floored at `least`
  public static float[] weighted(List<float[]> all, List<float[]> fisher, float least, double... shares) {
    float[] r = new float[all.getFirst().length];
    for (int k = 0; k < r.length; k++) {
      float sum = 0, weight = 0;
      for (int i = 0; i < shares.length; i++) {
        float f = (float) shares[i] * Math.max(fisher.get(i)[k], least);
        sum += f * all.get(i)[k];
        weight += f;
      }
      r[k] = sum / weight;
    }
    return r;
  }

  private static String difference(List<? extends Map<String, Tensor>> all) {
    BiFunction<Map<String, Tensor>, Map<String, Tensor>, List<String>> without = (a, b) -> a.keySet().stream()
        .filter(p -> !b.containsKey(p)).limit(3).toList();
    for (var t : all) {
      var more = without.apply(t, all.getFirst());
      if (!more.isEmpty()) return more + " only in one";
    }
    return Arrays.toString(all.stream().mapToInt(Map::size).toArray());
  }

}
