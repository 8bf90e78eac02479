package jacquard.clip.model.timm.relpos;

import jacquard.clip.model.timm.TimmMlp;
import jacquard.clip.nn.Init;
import jacquard.tensor.Grid;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.List;

/// What attention adds for a query and a key by how far their patches lie apart (Liu et al. 2022, Swin v2, in timm's
/// form): an MLP with ReLU turns the distances (dy, dx), each as sign(d)·ln(1 + |d|), into a number a head.
record RelativeBias(TimmMlp mlp) {
  static RelativeBias of(Init.Maker make, int hidden, int heads) {
    return new RelativeBias(new TimmMlp(RelPosBlock.linear(make, 2, hidden, true),
        RelPosBlock.linear(make, hidden, heads, true), Activation.RELU));
  }

  /// `[heads, rows, rows]` for `prefix` rows that lie nowhere, whose bias is 0, and the cells of a grid.
  Tensor over(Grid grid, int prefix) {
    int h = grid.height(), w = grid.width(), down = 2 * h - 1, across = 2 * w - 1, rows = prefix + grid.size();
    float[] distances = new float[2 * down * across];
    for (int y = 0; y < down; y++)
      for (int x = 0; x < across; x++) {
        distances[2 * (y * across + x)] = log(y - h + 1);
        distances[2 * (y * across + x) + 1] = log(x - w + 1);
      }
    int[] at = new int[rows * rows];
    for (int q = 0; q < rows; q++)
      for (int k = 0; k < rows; k++)
        at[q * rows + k] = q < prefix || k < prefix ? down * across : apart(q - prefix, k - prefix, grid);
    var table = mlp.apply(Tensor.of(Shape.of(down * across, 2), distances), null);
    int heads = table.dim(1);
    return Tensor.concat(0, List.of(table, Tensor.zeros(Shape.of(1, heads)))).gather(at).reshape(rows, rows, heads)
        .permute(2, 0, 1);
  }

  /// The row of the table for two cells.
  private static int apart(int query, int key, Grid grid) {
    int w = grid.width();
    return (query / w - key / w + grid.height() - 1) * (2 * w - 1) + query % w - key % w + w - 1;
  }

  private static float log(int d) { return (float) (Math.signum(d) * Math.log1p(Math.abs(d))); }
}
