package jacquard.tests.roofline;

import jacquard.tensor.Group;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// Something that is run to see how fast some of its kernels are.
///
/// @param in      what it is given; I32 are row numbers below `limit`
/// @param kernels those that are of interest: what else it launches is another row's
/// @param ranks   whether all GPUs run it together
record Row(List<Type> in, int limit, Body body, List<Bound> kernels, boolean ranks) {
  interface Body { void run(Group group, List<Tensor> in); }

  /// Kernels of these names, and what the names in their formulas stand for.
  ///
  /// Where an op launches a kernel several times, the numbers are those of all launches together, and their times are
  /// added. `times`: how many problems of this size there are
  record Bound(Pattern kernels, Map<String, Double> names) {
    double times() { return names.getOrDefault("times", 1.0); }
  }

  /// The kernels that match, `*` standing for anything, and pairs of a name and a number.
  static Bound at(String kernels, Object... names) {
    var map = new LinkedHashMap<String, Double>();
    for (int i = 0; i < names.length; i += 2) map.put((String) names[i], ((Number) names[i + 1]).doubleValue());
    return new Bound(Pattern.compile(kernels.replace("*", ".*")), map);
  }

  Row below(int limit) { return new Row(in, limit, body, kernels, ranks); }

  /// What is said of a kernel; null where this row is not about it.
  Bound of(String kernel) {
    return kernels.stream().filter(b -> b.kernels.matcher(kernel).matches()).findFirst().orElse(null);
  }
}
