package jacquard.clip.loss;

import jacquard.autograd.Grad;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Cross-entropy of the next token: ln Σ_v e^(x·p_v) − x·p_label, row by row.
public final class CaptionLoss {
  /// Rows at a time: logits of so many rows are held and no more, forwards and backwards.
  private static final int ROWS = 1024;

  private CaptionLoss() {}

  /// @param x          rows `[n, width]`
  /// @param projection to logits, `[width, vocabulary]`
  /// @param labels     the token that each row should foretell
  /// @return `[n, 1]`
  public static Tensor of(Tensor x, Tensor projection, int[] labels) {
    var parts = new ArrayList<Tensor>();
    for (int from = 0; from < labels.length; from += ROWS) {
      int[] some = Arrays.copyOfRange(labels, from, Math.min(from + ROWS, labels.length));
      parts.add(Grad.checkpoint(List.of(x.slice(0, from, from + some.length), projection), t ->
          List.of(part(t.get(0), t.get(1), some))).getFirst());
    }
    return Tensor.concat(0, parts);
  }

  private static Tensor part(Tensor x, Tensor projection, int[] labels) {
    var z = x.matmul(projection);                                                 // [rows, vocabulary]
    var max = z.maxKeeping(1);
    var all = z.subtract(max).exp().sumKeeping(1).log().add(max);
    return all.subtract(x.mul(projection.permute(1, 0).dense().gather(labels)).sumKeeping(1));
  }
}
