package jacquard.clip.model.coca;

import jacquard.autograd.Named;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.transformer.Block;
import jacquard.clip.nn.transformer.LayerScale;
import jacquard.clip.nn.transformer.Mlp;
import jacquard.clip.nn.transformer.SelfAttention;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;
import java.util.List;

/// A block whose queries come from the caption, whose keys and values from the picture, which has a norm of its own.
record CrossBlock(@Named("ln_1") LayerNorm norm1, @Named("ln_1_kv") LayerNorm normPicture,
    @Named("attn") SelfAttention attention,
    @Named("ls_1") LayerScale scale1, @Named("ln_2") LayerNorm norm2, Mlp mlp, @Named("ls_2") LayerScale scale2) {

  static CrossBlock of(Block b, LayerNorm normPicture) {
    return new CrossBlock(b.norm1(), normPicture, b.attention(), b.scale1(), b.norm2(), b.mlp(), b.scale2());
  }

  /// Keys and values of pictures.
  List<Tensor> keys(Tensor picture) {
    int w = attention.packed().weight().dim(1);
    return attention.packed().rows(w, 3 * w).apply(normPicture.apply(picture)).split(1, w, w);
  }

  /// @param sequences which rows of x look at which picture
  /// @param keys,pictures of the pictures, see [#keys], and which rows are whose
  Tensor apply(Tensor x, Sequences sequences, List<Tensor> keys, Sequences pictures) {
    int w = x.dim(1), heads = attention.heads();
    var q = attention.packed().rows(0, w).apply(norm1.apply(x));
    var op = new Attention(heads, (float) (1 / Math.sqrt(w / heads)), sequences, pictures,
        Ranges.full(sequences, pictures));
    var o = Tensor.apply(op, q, keys.get(0), keys.get(1));
    x = scale1 == null ? attention.out().apply(o, x) : x.add(scale1.apply(attention.out().apply(o)));
    return scale2 == null ? mlp.apply(norm2.apply(x), x) : x.add(scale2.apply(mlp.apply(norm2.apply(x), null)));
  }
}
