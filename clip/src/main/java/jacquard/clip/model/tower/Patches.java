package jacquard.clip.model.tower;

import jacquard.tensor.Grid;
import jacquard.tensor.Tensor;
import java.util.Collections;
import java.util.List;

/// Pictures of any sizes, cut into patches: one row a patch, picture by picture, row by row.
///
/// @param rows  normalised pixels `[patches, side·side·3]`, each patch's row by row
/// @param grids rows and columns of patches of each picture
/// @param room  patches that each picture of the batch may have
public record Patches(Tensor rows, List<Grid> grids, int room) {
  public Patches {
    grids = List.copyOf(grids);
    int n = grids.stream().mapToInt(Grid::size).sum();
    if (rows.dim(0) != n)
      throw new IllegalArgumentException(rows.dim(0) + " patches, expected " + n + " for pictures of " + grids);
  }

  /// With room for the picture of most patches.
  public Patches(Tensor rows, List<Grid> grids) {
    this(rows, grids, grids.stream().mapToInt(Grid::size).max().orElse(0));
  }

  /// Pixels along a patch's side.
  public int side() { return (int) Math.round(Math.sqrt(rows.dim(1) / 3.0)); }

  /// Of pictures of one size, whose sides are multiples of a patch's.
  public static Patches of(ImageBatch images, int side) {
    var g = images.grid();
    if (g.height() % side != 0 || g.width() % side != 0)
      throw new IllegalArgumentException("images of " + g + ", expected sides that patches of " + side
          + " pixels divide");
    return new Patches(images.patches(side),
        Collections.nCopies(images.count(), new Grid(g.height() / side, g.width() / side)));
  }
}
