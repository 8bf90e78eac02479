package jacquard.clip.nn.transformer;

import jacquard.autograd.Named;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;

/// Learned queries attend to the rows of a tower: OpenCLIP's AttentionalPooler. Keys and values are projected from the
/// tower's width to the query's.
public record AttentionalPooler(Tensor query, @Named("attn") Cross cross, @Named("ln_q") LayerNorm normQuery,
    @Named("ln_k") LayerNorm normKeys) {

  /// Projections `[width, width]`, `[width, context]`, `[width, context]` with one bias `[3·width]`; in one
  /// `[3·width, width]` where the context is as wide as the queries. The others are null.
  public record Cross(@Named("in_proj_weight") Tensor packed, @Named("q_proj_weight") Tensor queries,
      @Named("k_proj_weight") Tensor keys, @Named("v_proj_weight") Tensor values,
                      @Named("in_proj_bias") Tensor bias, @Named("out_proj") Linear out, int heads) {
    public static Cross of(Init.Maker make, int width, int context, int heads) {
      boolean same = width == context;
      return new Cross(same ? make.make(Init.xavier(width, 3 * width), 3 * width, width) : null, same ? null
          : make.make(Init.xavier(width, width), width, width),
          same ? null : make.make(Init.xavier(context, width), width, context), same ? null
          : make.make(Init.xavier(context, width), width, context),
          make.make(Init.ZEROS, 3 * width), Linear.of(make, width, width, Init.fanIn(width), Init.ZEROS), heads);
    }

    /// The projection of queries (0), keys (1) or values (2).
    Tensor apply(int which, Tensor x) {
      int w = bias.dim(0) / 3;
      var weight = packed != null ? packed.slice(0, which * w, which * w + w) : which == 0 ? queries : which == 1 ? keys
          : values;
      return x.linear(weight, bias.slice(0, which * w, which * w + w), Activation.NONE);
    }
  }

  /// The first `count` queries of each sequence: `[sequences·count, width]`.
  public Tensor apply(Tensor x, Sequences sequences, int count) {
    int width = query.dim(1), batch = sequences.count();
    var h = normKeys.apply(x);
    // q [count, width]
    Tensor q = cross.apply(0, normQuery.apply(query.slice(0, 0, count))), k = cross.apply(1, h), v = cross.apply(2, h);
    int[] repeat = new int[batch * count];
    for (int i = 0; i < repeat.length; i++) repeat[i] = i % count;
    var queries = Sequences.equal(batch, count);
    float scale = (float) (1 / Math.sqrt(width / cross.heads));
    var op = new Attention(cross.heads, scale, queries, sequences, Ranges.full(queries, sequences));
    return cross.out.apply(Tensor.apply(op, q.gather(repeat), k, v));
  }
}
