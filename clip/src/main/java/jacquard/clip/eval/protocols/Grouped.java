package jacquard.clip.eval.protocols;

import jacquard.clip.eval.metrics.Accuracy;
import jacquard.clip.eval.sets.Benchmark;
import jacquard.clip.eval.sets.Truth;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// Accuracies by group, and the worst group's, by the names that DataComp uses.
final class Grouped {
  /// FMoW's regions; the last is not one of them.
  private static final List<String> REGIONS = List.of("Asia", "Europe", "Africa", "Americas", "Oceania", "Other");

  private Grouped() {}

  static void add(Measured to, Benchmark set, Truth.Labels truth, Protocol.Seen seen, boolean[] right, boolean[] five) {
    truth.groups().forEach((what, of) -> {
      int[] group = seen.of(of.of());
      var one = Accuracy.byGroup(right, group);
      if (one.size() < 2 || one.size() > 64) return;                               // a number a picture is no group
      to.groups().put("acc1 by " + what, named(one, of, set));
      to.metrics().put("acc_avg", Accuracy.of(right));
      to.metrics().merge("acc_wg", Accuracy.worst(one.values()), Math::min);
      to.metrics().put("acc_top5_avg", Accuracy.of(five));
      to.metrics().merge("acc_top5_wg", Accuracy.worst(Accuracy.byGroup(five, group).values()), Math::min);
    });
    if (set.main().equals("acc_worst_region")) region(to, truth, seen, right);
  }

  /// The worst of the regions, which the metadata numbers first; pictures of no region are not counted.
  private static void region(Measured to, Truth.Labels truth, Protocol.Seen seen, boolean[] right) {
    if (truth.groups().isEmpty()) return;
    var by = Accuracy.byGroup(right, seen.of(truth.groups().firstEntry().getValue().of()));
    by.remove(REGIONS.size() - 1);
    to.metrics().put("acc_worst_region", Accuracy.worst(by.values()));
  }

  private static SequencedMap<String, Double> named(SequencedMap<Integer, Double> of, Truth.Grouping by,
      Benchmark set) {
    var r = new LinkedHashMap<String, Double>();
    boolean regions = set.main().equals("acc_worst_region");
    of.forEach((g, a) -> r.put(regions && g >= 0 && g < REGIONS.size() ? REGIONS.get(g) : by.name(g), a));
    return r;
  }
}
