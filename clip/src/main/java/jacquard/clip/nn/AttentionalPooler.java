package jacquard.clip.nn;

import jacquard.autograd.Named;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;

/// Learned queries attend to the rows of a tower: OpenCLIP's AttentionalPooler. Keys and values are projected from the tower's width to
/// the query's.
public record AttentionalPooler(Tensor query, @Named("attn") Cross cross, @Named("ln_q") LayerNorm normQuery, @Named("ln_k") LayerNorm normKeys) {

  /// Projections `[width, width]`, `[width, context]`, `[width, context]` with one bias `[3·width]`.
  public record Cross(@Named("q_proj_weight") Tensor queries, @Named("k_proj_weight") Tensor keys, @Named("v_proj_weight") Tensor values,
                      @Named("in_proj_bias") Tensor bias, @Named("out_proj") Linear out, int heads) {}

  /// The first `count` queries of each sequence: `[sequences·count, width]`.
  public Tensor apply(Tensor x, Sequences sequences, int count) {
    int width = query.dim(1), batch = sequences.count();
    var h = normKeys.apply(x);
    var q = normQuery.apply(query.slice(0, 0, count)).linear(cross.queries, cross.bias.slice(0, 0, width), Activation.NONE);   // [count, width]
    var k = h.linear(cross.keys, cross.bias.slice(0, width, 2 * width), Activation.NONE);
    var v = h.linear(cross.values, cross.bias.slice(0, 2 * width, 3 * width), Activation.NONE);
    int[] repeat = new int[batch * count];
    for (int i = 0; i < repeat.length; i++) repeat[i] = i % count;
    var queries = Sequences.equal(batch, count);
    float scale = (float) (1 / Math.sqrt(width / cross.heads));
    var op = new Attention(cross.heads, scale, queries, sequences, Ranges.full(queries, sequences));
    return cross.out.apply(Tensor.apply(op, q.gather(repeat), k, v));
  }
}
