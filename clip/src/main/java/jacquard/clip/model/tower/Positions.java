package jacquard.clip.model.tower;

import jacquard.tensor.Grid;

/// A learned table of positions, a row a position, that a model of another image size or context can take over by
/// resizing.
public sealed interface Positions {
  /// The table's path within its tower.
  String path();

  /// `prefix` rows of tokens that lie nowhere, then the cells of a picture, row by row: `[prefix + cells, width]`.
  record Cells(String path, int prefix, Grid grid) implements Positions {}

  /// A row a place in the caption: `[context, width]`.
  record Places(String path) implements Positions {}
}
