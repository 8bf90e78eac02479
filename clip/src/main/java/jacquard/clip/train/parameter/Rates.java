package jacquard.clip.train.parameter;

import jacquard.autograd.Optimizer;
import jacquard.clip.model.ClipModel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// How fast each parameter learns and how it decays, by path. Learning rates fall from a tower's output to its input
/// (layer-wise decay, Clark et al. 2020): its group i of n, as [Locks] counts them, learns with decay^(n−1−i) of the
/// rate.
///
/// @param decay     the weight decay
/// @param image,text the layer-wise decays of the towers, 1 for none
/// @param undecayed patterns of OpenCLIP's names of parameters that do not decay, beside those that never do; `*` for
///   any text, `?` for any letter
/// @param poolerApart whether the text tower's pooler stands below its head, as in [Locks]
public record Rates(double decay, double image, double text, List<String> undecayed, boolean poolerApart) {
  public Rates(double decay, double image, double text, List<String> undecayed) {
    this(decay, image, text, undecayed, false);
  }

  public Rates {
    undecayed = List.copyOf(undecayed);
    for (double d : new double[] {image, text})
      if (!(d > 0 && d <= 1))
        throw new IllegalArgumentException("a layer-wise decay of " + d + ", expected more than 0 and at most 1");
  }

  /// The same rate for all.
  public static Rates decayed(double decay) { return new Rates(decay, 1, 1, List.of()); }

  /// Path → rate, for all parameters of a model.
  public Function<String, Optimizer.Rate> of(ClipModel model) { return of(model, model.decayed()); }

  /// The same where more than a model is trained.
  ///
  /// @param decays which paths decay
  public Function<String, Optimizer.Rate> of(ClipModel model, Predicate<String> decays) {
    var factors = new HashMap<String, Double>();
    factors(model, "visual", image, factors);
    factors(model, "text", text, factors);
    var patterns = undecayed.stream().map(Rates::pattern).toList();
    return path -> new Optimizer.Rate(factors.getOrDefault(path, 1.0), decays.test(path) && patterns.stream()
        .noneMatch(p -> p.matcher(model.nameOf(path)).matches()) ? decay : 0);
  }

  /// @throws IllegalArgumentException naming a pattern that matches none of a model's parameters
  public Rates check(ClipModel model) {
    matching("--wd-exclude", undecayed, model);
    return this;
  }

  /// Which paths have a name of OpenCLIP's that matches one of some patterns.
  ///
  /// @throws IllegalArgumentException naming a pattern that matches none, and the option that gave it
  public static Predicate<String> matching(String option, List<String> globs, ClipModel model) {
    var patterns = globs.stream().map(Rates::pattern).toList();
    for (int i = 0; i < patterns.size(); i++) {
      var p = patterns.get(i);
      if (model.parameters().all().keySet().stream().noneMatch(path -> p.matcher(model.nameOf(path)).matches()))
        throw new IllegalArgumentException(option + " \"" + globs.get(i) + "\" matches no parameter");
    }
    return path -> patterns.stream().anyMatch(p -> p.matcher(model.nameOf(path)).matches());
  }

  /// What pools a tower's tokens stands at its output and learns at the full rate, whatever group it is locked with.
  private void factors(ClipModel model, String tower, double decay, Map<String, Double> into) {
    if (decay == 1) return;
    var groups = model.groups(poolerApart).get(tower);
    if (groups == null) throw new IllegalArgumentException("a layer-wise decay of the " + tower
        + " tower, which this model has not");
    int n = groups.size();
    for (int i = 0; i < n; i++) {
      double factor = Math.pow(decay, n - 1 - i);
      var others = model.parameters().freeze(groups.get(i).toArray(String[]::new)).trained().keySet();
      model.parameters().trained().keySet().stream().filter(p -> !others.contains(p)
          && !p.startsWith(tower + ".attn_pool.")).forEach(p -> into.put(p, factor));
    }
  }

  private static Pattern pattern(String glob) {
    var r = new StringBuilder();
    for (char c : glob.toCharArray()) r.append(c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(Character.toString(c)));
    return Pattern.compile(r.toString());
  }
}
