package jacquard.clip.model.tower;

import jacquard.tensor.Tensor;

/// Patches of which a tower does not see the pixels: in their place stands a learned row, before positions are added.
///
/// @param token `[width]`
/// @param cells picture by picture, each row by row, which are hidden `[count·cells]`
public record Hidden(Tensor token, boolean[] cells) {
  /// Rows of a table `[class token, patches, token]` that a tower takes: those of hidden patches become the last.
  ///
  /// @param source  the rows, changed in place
  /// @param classes rows before the patches
  public void over(int[] source, int classes) {
    for (int r = 0; r < source.length; r++)
      if (source[r] >= classes && cells[source[r] - classes]) source[r] = classes + cells.length;
  }
}
