package jacquard.clip.nn.transformer;

import jacquard.autograd.Named;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.LayerNorm;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import java.util.function.UnaryOperator;

/// A pre-norm transformer block: x + ls₁(norm(attention(norm₁ x))), then x + ls₂(mlp(norm₂ x)). What is null is left
/// out.
///
/// @param drop how often a branch of a sample is left out in training
public record Block(@Named("ln_1") LayerNorm norm1, @Named("attn") SelfAttention attention,
    @Named("ln_attn") LayerNorm normAttention, @Named("ls_1") LayerScale scale1,
                    @Named("ln_2") LayerNorm norm2, Mlp mlp, @Named("ls_2") LayerScale scale2, Drop drop) {

  /// All rows, or only `rows` of the result (null: all): what a tower that pools needs of its last block. What
  /// attention made ends before the MLP, which is wider, begins.
  public Tensor apply(Tensor x, Sight sight, int[] rows) {
    return around(rows == null ? x : x.gather(rows), added ->
        Scope.result(() -> attention.apply(norm1.apply(x), sight, rows, added)),
        rows == null || !drop.active() ? sight.rows() : SelfAttention.picked(sight.rows(), rows));
  }

  /// One more row of each sequence, which attends to those before it and to itself.
  ///
  /// @param seen which of the rows may be looked at; null: all
  public Tensor apply(Tensor x, Cache cache, boolean[] seen) {
    return around(x, added -> attention.apply(norm1.apply(x), cache, seen, added), null);
  }

  /// @param attend gives what attention finds plus what it is given, which may be null
  private Tensor around(Tensor from, UnaryOperator<Tensor> attend, Sequences s) {
    // then the last product adds to what comes in
    boolean plain = normAttention == null && scale1 == null && !drop.active();
    var a = attend.apply(plain ? from : null);
    if (normAttention != null) a = normAttention.apply(a);
    var x = plain ? a : from.add(drop.path(scale1 == null ? a : scale1.apply(a), s, 0));
    if (scale2 == null) return drop.beside(x, added -> mlp.apply(norm2.apply(x), added), s, 1);
    return x.add(drop.path(scale2.apply(mlp.apply(norm2.apply(x), null)), s, 1));
  }
}
