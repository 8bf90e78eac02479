package jacquard.clip.nn.transformer;

import jacquard.autograd.Grad;
import jacquard.autograd.Named;
import jacquard.tensor.Pass;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/// Blocks one after another; each ends all that it made but its result.
///
/// @param prompts rows that are replaced before some blocks, or null
public record Transformer(@Named("resblocks") List<Block> blocks, DeepPrompts prompts) {
  public Transformer(List<Block> blocks) { this(blocks, null); }

  /// @param rows which rows the caller wants of the result, ascending; null for all
  public Tensor apply(Tensor x, Sight sight, int[] rows) {
    for (int i = 0; i < blocks.size(); i++) {
      var block = blocks.get(i);
      var in = prompts == null ? x : prompts.before(i, x, sight.rows());
      int[] wanted = i == blocks.size() - 1 ? rows : null;
      x = once(in, t -> block.apply(t, sight, wanted));
    }
    return blocks.isEmpty() && rows != null ? x.gather(rows) : x;
  }

  /// One more row of each sequence; see [Block#apply(Tensor, Cache, boolean[])].
  public Tensor apply(Tensor x, List<Cache> caches, boolean[] seen) {
    for (int i = 0; i < blocks.size(); i++) x = blocks.get(i).apply(x, caches.get(i), seen);
    return x;
  }

  /// The same of a block that takes and gives several.
  public static List<Tensor> once(List<Tensor> in, UnaryOperator<List<Tensor>> block) {
    return Pass.current().recompute() ? Grad.checkpoint(in, block::apply) : Scope.results(() -> block.apply(in));
  }

  /// A block's result; all else that it made ends with it, and where the pass says so not even backward keeps it.
  public static Tensor once(Tensor x, UnaryOperator<Tensor> block) {
    if (Pass.current().recompute())
      return Grad.checkpoint(List.of(x), t -> List.of(block.apply(t.getFirst()))).getFirst();
    return Scope.result(() -> block.apply(x));
  }
}
