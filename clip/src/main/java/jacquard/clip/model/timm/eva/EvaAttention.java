package jacquard.clip.model.timm.eva;

import jacquard.autograd.Named;
import jacquard.clip.model.timm.VitBlock;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.Rotation;
import jacquard.clip.nn.transformer.SelfAttention;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;
import java.util.List;

/// Attention with packed projections, whose bias may be that of queries and values alone, or with three projections;
/// the absent are null.
record EvaAttention(@Named("qkv") Linear packed, @Named("q_bias") Tensor queryBias, @Named("v_bias") Tensor valueBias,
    @Named("q_proj") Linear queries, @Named("k_proj") Linear keys, @Named("v_proj") Linear values, LayerNorm norm,
        Linear proj, int heads) {
  /// @param deep what the last projection's start is divided by
  static EvaAttention of(Init.Maker make, Architecture a, double deep) {
    int w = a.width();
    var proj = Linear.of(make, w, w, new Init.Normal(0.02 / deep), Init.ZEROS);
    return switch (a.kind()) {
      case EVA01, POST_NORM -> new EvaAttention(VitBlock.linear(make, w, 3 * w, false), make.make(Init.ZEROS, w),
          make.make(Init.ZEROS, w), null, null,
          null, null, proj, a.heads());
      case EVA02 -> new EvaAttention(null, null, null, VitBlock.linear(make, w, w, true),
          VitBlock.linear(make, w, w, false),
          VitBlock.linear(make, w, w, true), LayerNorm.of(make, w, a.kind().epsilon), proj, a.heads());
      case PERCEPTION -> new EvaAttention(VitBlock.linear(make, w, 3 * w, true), null, null, null, null, null, null,
          proj, a.heads());
    };
  }

  /// Attends for all rows of x, or only for `rows` of them (null: all); plus `added`, which may be null.
  Tensor apply(Tensor x, Sequences sequences, Rotation rotation, int[] rows, Tensor added) {
    int w = x.dim(1);
    var from = rows == null ? x : x.gather(rows);
    Tensor q, k, v;
    if (packed == null) {
      q = queries.apply(from);
      k = keys.apply(x);
      v = values.apply(x);
    } else {
      var bias = packed.bias() != null ? packed.bias()
          : Tensor.concat(0, List.of(queryBias, Tensor.zeros(queryBias.shape()), valueBias));
      var all = packed.weight();
      q = from.linear(all.slice(0, 0, w), bias.slice(0, 0, w), Activation.NONE);
      var parts = x.linear(all.slice(0, w, 3 * w), bias.slice(0, w, 3 * w), Activation.NONE).split(1, w, w);
      k = parts.get(0);
      v = parts.get(1);
    }
    if (rotation != null) {
      q = (rows == null ? rotation : rotation.of(rows)).apply(q);
      k = rotation.apply(k);
    }
    var asking = rows == null ? sequences : SelfAttention.picked(sequences, rows);
    var op = new Attention(heads, (float) (1 / Math.sqrt(w / heads)), asking, sequences,
        Ranges.full(asking, sequences));
    var y = Tensor.apply(op, q, k, v);
    return proj.apply(norm == null ? y : norm.apply(y), added);
  }
}
