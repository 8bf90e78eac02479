package jacquard.clip.nn;

import jacquard.autograd.Grad;
import jacquard.autograd.Named;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Ranges;
import java.util.List;

/// Blocks one after another; each ends all that it made but its result.
public record Transformer(@Named("resblocks") List<Block> blocks) {
  /// @param rows       which rows the caller wants of the result, ascending; null for all
  /// @param checkpoint whether backward recomputes each block
  public Tensor apply(Tensor x, Sequences sequences, Ranges ranges, int[] rows, boolean checkpoint) {
    for (int i = 0; i < blocks.size(); i++) {
      var block = blocks.get(i);
      var in = x;
      int[] wanted = i == blocks.size() - 1 ? rows : null;
      x = checkpoint
          ? Grad.checkpoint(List.of(in), t -> List.of(block.apply(t.getFirst(), sequences, ranges, wanted))).getFirst()
          : Scope.result(() -> block.apply(in, sequences, ranges, wanted));
    }
    return blocks.isEmpty() && rows != null ? x.gather(rows) : x;
  }
}
