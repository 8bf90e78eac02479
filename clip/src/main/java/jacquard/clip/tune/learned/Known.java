package jacquard.clip.tune.learned;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Captions that are known, and which name each is.
public final class Known {
  private final List<int[][]> captions;
  private final Map<List<Integer>, Integer> numbers = new HashMap<>();

  /// @param captions of each name its captions' tokens, padded to the context
  public Known(List<int[][]> captions) {
    this.captions = captions.stream().map(name -> Arrays.stream(name).map(Known::stripped).toArray(int[][]::new))
        .toList();
    for (int i = 0; i < captions.size(); i++) for (int[] c : captions.get(i)) numbers.putIfAbsent(key(c), i);
  }

  public int names() { return captions.size(); }

  /// The number of each caption's name; −1 where it is not known.
  int[] of(int[][] padded) {
    return Arrays.stream(padded).mapToInt(c -> numbers.getOrDefault(key(c), -1)).toArray();
  }

  /// Of the padding one is enough.
  private static int[] stripped(int[] ids) {
    int n = ids.length;
    while (n > 1 && ids[n - 1] == ids[n - 2]) n--;
    return Arrays.copyOf(ids, n);
  }

  private static List<Integer> key(int[] ids) { return Arrays.stream(stripped(ids)).boxed().toList(); }

  ObjectNode into(ObjectNode settings) {
    var all = settings.putArray("captions");
    for (var name : captions) {
      var list = all.addArray();
      for (int[] c : name) {
        var ids = list.addArray();
        for (int id : c) ids.add(id);
      }
    }
    return settings;
  }

  static Known read(JsonNode settings) {
    var r = new ArrayList<int[][]>();
    for (var name : settings.path("captions")) {
      var list = new ArrayList<int[]>();
      for (var c : name) list.add(Learned.Stored.ids(c));
      r.add(list.toArray(int[][]::new));
    }
    return new Known(r);
  }

  /// Features with those of known captions replaced.
  ///
  /// @param features of all captions, or null where all are known and wholly replaced
  /// @param vectors  of the names `[names, embedding]`
  /// @param which    of each caption its name, or −1
  static Tensor replaced(Tensor features, Tensor vectors, int[] which, double share) {
    if (features == null) return vectors.gather(which);
    int n = which.length;
    int[] name = new int[n], row = new int[n];
    for (int i = 0; i < n; i++) {
      name[i] = Math.max(which[i], 0);
      row[i] = which[i] < 0 ? i : n + i;
    }
    return Tensor.concat(0, List.of(features, Learned.mixed(features, vectors.gather(name), share))).gather(row);
  }
}
