package jacquard.clip.data;

import jacquard.tensor.Grid;
import java.util.Arrays;
import java.util.List;

/// What a rank reads at a step: as many samples of each input, in one order.
///
/// @param inputs  one a modality, each of `count` samples
/// @param groups  of each sample a hash of its caption: equal where captions are equal
/// @param samples of each sample its number in the stream
public record Batch(List<Input> inputs, long[] groups, int[] samples, int count) {
  /// One modality.
  public sealed interface Input {
    /// Samples `from … to − 1`.
    Input part(int from, int to);
  }

  /// @param rows normalised pixels `[count, height, width, 3]`
  /// @param grid height × width
  public record Pictures(float[] rows, Grid grid) implements Input {
    @Override public Pictures part(int from, int to) {
      int each = 3 * grid.size();
      return new Pictures(Arrays.copyOfRange(rows, from * each, to * each), grid);
    }
  }

  /// Pictures at their own proportions, cut into patches.
  ///
  /// @param rows  normalised pixels `[patches, side·side·3]`, each patch's row by row
  /// @param grids rows and columns of patches of each picture
  /// @param side  pixels along a patch's side
  /// @param room  patches that each picture may have
  public record Patches(float[] rows, List<Grid> grids, int side, int room) implements Input {
    public Patches { grids = List.copyOf(grids); }

    /// Elements of a row.
    public int width() { return side * side * 3; }

    @Override public Patches part(int from, int to) {
      int before = patches(0, from);
      return new Patches(Arrays.copyOfRange(rows, before * width(), (before + patches(from, to)) * width()),
          grids.subList(from, to), side, room);
    }

    private int patches(int from, int to) { return grids.subList(from, to).stream().mapToInt(Grid::size).sum(); }
  }

  /// @param tokens `[count][context]`
  public record Captions(int[][] tokens) implements Input {
    @Override public Captions part(int from, int to) { return new Captions(Arrays.copyOfRange(tokens, from, to)); }
  }

  public Batch { inputs = List.copyOf(inputs); }

  /// Pairs of pictures and captions, numbered from 0, all captions told apart.
  public static Batch of(float[] pixels, Grid grid, int[][] tokens) {
    int n = tokens.length;
    int[] each = new int[n];
    Arrays.setAll(each, i -> i);
    return new Batch(List.of(new Pictures(pixels, grid), new Captions(tokens)),
        Arrays.stream(each).asLongStream().toArray(), each, n);
  }

  /// The input of a kind.
  ///
  /// @throws IllegalStateException where the batch has none
  public <T extends Input> T input(Class<T> kind) {
    return inputs.stream().filter(kind::isInstance).map(kind::cast).findFirst().orElseThrow(() ->
        new IllegalStateException("a batch without " + kind.getSimpleName().toLowerCase() + ": " + inputs));
  }

  public Pictures pictures() { return input(Pictures.class); }
  public Patches patches() { return input(Patches.class); }

  /// Whether its pictures are of any size, in patches.
  public boolean flexible() { return inputs.stream().anyMatch(Patches.class::isInstance); }

  public Captions captions() { return input(Captions.class); }

  /// Samples `from … to − 1`; the whole batch is itself.
  public Batch part(int from, int to) {
    if (from == 0 && to == count) return this;
    return new Batch(inputs.stream().map(i -> i.part(from, to)).toList(), Arrays.copyOfRange(groups, from, to),
        Arrays.copyOfRange(samples, from, to), to - from);
  }
}
