package jacquard.clip.model.hf;

import jacquard.clip.nn.Init;
import jacquard.tensor.Interpreter;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Indexing;
import java.util.List;
import java.util.stream.IntStream;

/// Vectors of tokens or positions. `[rows, width]`
public record Table(Tensor weight) {
  public static Table of(Init.Maker make, int rows, int width) {
    return new Table(make.make(new Init.Normal(0.02), rows, width));
  }

  /// Rows by number; nothing flows back to the row `fixed`, that of the pads (PyTorch's `padding_idx`).
  public Tensor rows(int[] ids, int fixed) {
    if (IntStream.of(ids).noneMatch(i -> i == fixed)) return weight.gather(ids);
    int[] others = IntStream.of(ids).map(i -> i == fixed ? -1 : i).toArray(), those =
        IntStream.of(ids).map(i -> i == fixed ? i : -1).toArray();
    var constant = Interpreter.PLAIN.apply(new Indexing.Gather(),
        List.of(weight, Tensor.ofInts(Shape.of(those.length), those))).getFirst();
    return weight.gather(others).add(constant);
  }
}
