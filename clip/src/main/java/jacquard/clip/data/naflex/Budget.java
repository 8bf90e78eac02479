package jacquard.clip.data.naflex;

import java.util.List;
import java.util.stream.IntStream;

/// What a step of pictures of any size may hold. Each step draws how many patches its pictures have at most, and takes
/// as many pictures as that
/// leaves room for: ⌊tokens/(length + words)⌋, rounded down to a multiple of `divisor`, and at least one.
///
/// @param lengths patches of a picture at most, ascending
/// @param lengthChances how often each is drawn
/// @param sides pixels along a patch's side
/// @param sideChances how often each is drawn
/// @param tokens of a step's share (of one rank and micro-batch)
/// @param words tokens that a caption counts as; 0 where patches alone count
/// @param perEpoch patches an epoch of a share, in place of the samples that there are; 0 for those
public record Budget(List<Integer> lengths, List<Double> lengthChances, List<Integer> sides, List<Double> sideChances,
    int tokens, int divisor, int words, long perEpoch) {
  /// As OpenCLIP draws them where nothing else is said.
  public static final List<Integer> LENGTHS = List.of(128, 256, 576, 784, 1024);
  public static final int TOKENS = 16384, DIVISOR = 8;

  public Budget {
    lengths = List.copyOf(lengths);
    lengthChances = List.copyOf(lengthChances);
    sides = List.copyOf(sides);
    sideChances = List.copyOf(sideChances);
  }

  /// Equal chances.
  public static List<Double> equal(int n) { return IntStream.range(0, n).mapToObj(_ -> 1.0).toList(); }

  /// How many pictures of so many patches a share takes.
  int pictures(int length, long tokens) {
    return (int) Math.max(1, tokens / (length + words) / divisor * divisor);
  }

  /// Which of some chances a draw from [0, 1) is.
  static int drawn(List<Double> chances, double draw) {
    double at = draw * chances.stream().mapToDouble(c -> c).sum();
    for (int i = 0; i < chances.size() - 1; i++) if ((at -= chances.get(i)) < 0) return i;
    return chances.size() - 1;
  }

  /// All that fixes the order of a run's data, in words.
  String words(int shares) {
    return "patches " + lengths + " by " + lengthChances + ", sides " + sides + " by " + sideChances + ", " + tokens
        + " tokens" + (words > 0 ? " with " + words + " a caption" : "") + ", multiples of " + divisor
        + (perEpoch > 0 ? ", epochs of " + perEpoch + " patches" : "") + ", " + shares + " shares";
  }
}
