package jacquard.clip.model.timm.eva;

import jacquard.clip.nn.transformer.Rotation;
import jacquard.tensor.Grid;
import jacquard.tensor.Sequences;

/// Rotary positions on a grid: the first half of a head's pairs follows one axis, the other half the other. angle =
/// t·10000^(−i/n), n pairs an axis, t = (index + offset)/extent·reference.
///
/// @param reference the extent that indices are stretched to
/// @param columnsFirst whether the first half of the pairs follows columns, not rows
record GridRotation(int reference, int offset, boolean columnsFirst) {
  /// @param prefix rows of a sequence that lie nowhere and are not rotated
  Rotation of(Grid grid, Sequences sequences, int prefix, int heads, int width) {
    int pairs = width / heads / 2, each = pairs / 2;
    return Rotation.of(sequences.rows(), heads, pairs, (r, p) -> {
      int cell = sequences.positions()[r] - prefix;
      if (cell < 0) return 0;
      double y = (double) (cell / grid.width() + offset) / grid.height(),
          x = (double) (cell % grid.width() + offset) / grid.width();
      return (p < each == columnsFirst ? x : y) * reference * Math.pow(10000, -(p % each) / (double) each);
    });
  }
}
