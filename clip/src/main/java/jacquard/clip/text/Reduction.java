package jacquard.clip.text;

import jacquard.tensor.Random;
import java.util.Arrays;
import java.util.Locale;

/// Which of a caption's tokens stay where they are more than fit (OpenCLIP's `reduction_mask`; Li et al. 2023, CLIPA).
public enum Reduction {
  /// The first ones: plain truncation.
  NONE,
  /// A stretch that begins anywhere.
  SIMPLE,
  /// Any, in their order.
  RANDOM,
  /// Any, in any order.
  SHUFFLE;

  /// The reduction of OpenCLIP's name: `simple`, `random`, `shuffle`, or empty for none.
  public static Reduction named(String name) {
    if (name.isEmpty()) return NONE;
    for (var r : values()) if (r != NONE && r.toString().equals(name)) return r;
    if (name.equals("syntax"))
      throw new IllegalArgumentException(
          "reduction_mask \"syntax\" needs a tagger of parts of speech, which is not built in; expected simple, random or shuffle");
    throw new IllegalArgumentException("reduction_mask \"" + name
        + "\" is unknown; expected simple, random or shuffle");
  }

  /// `count` of the ids, by the key where chance decides.
  int[] of(int[] ids, int count, Random key) {
    if (ids.length <= count) return ids;
    return switch (this) {
      case NONE -> Arrays.copyOf(ids, count);
      case SIMPLE -> {
        int from = key.below(0, ids.length - count + 1);
        yield Arrays.copyOfRange(ids, from, from + count);
      }
      case RANDOM, SHUFFLE -> {
        int[] order = new int[ids.length];                                        // Fisher and Yates, as far as needed
        Arrays.setAll(order, i -> i);
        for (int i = 0; i < count; i++) {
          int j = i + key.below(i, ids.length - i), t = order[i];
          order[i] = order[j];
          order[j] = t;
        }
        if (this == RANDOM) Arrays.sort(order, 0, count);
        int[] r = new int[count];
        for (int i = 0; i < count; i++) r[i] = ids[order[i]];
        yield r;
      }
    };
  }

  /// OpenCLIP's name.
  @Override public String toString() { return name().toLowerCase(Locale.ROOT); }
}
