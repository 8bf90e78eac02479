package jacquard.clip.model.timm.hybrid;

import jacquard.autograd.Named;
import jacquard.clip.model.timm.TimmMlp;
import jacquard.clip.model.timm.VitBlock;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.Sight;
import jacquard.clip.nn.transformer.SelfAttention;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// x + attention(norm(x)), then x + mlp(norm(x)). One of the two MLPs is null.
record HybridBlock(LayerNorm norm1, @Named("attn") VitBlock.Attend attention, LayerNorm norm2,
    @Named("mlp") TimmMlp mlp, @Named("mlp") Gated gated, Drop drop) {
  /// w2(gelu(w0(h))·w1(h)) of h = norm(x).
  record Gated(LayerNorm norm, @Named("w0") Linear gate, @Named("w1") Linear value, @Named("w2") Linear out) {
    static Gated of(Init.Maker make, int width, int hidden) {
      return new Gated(LayerNorm.of(make, width, Architecture.EPSILON), VitBlock.linear(make, width, hidden, true),
          VitBlock.linear(make, width, hidden, true), VitBlock.linear(make, hidden, width, true));
    }

    Tensor apply(Tensor x, Tensor added) {
      var h = norm.apply(x);
      return out.apply(gate.apply(h, Activation.GELU).mul(value.apply(h)), added);
    }
  }

  static HybridBlock of(Init.Maker make, Architecture a, Drop drop) {
    int w = a.width();
    boolean plain = a.stem() instanceof Architecture.Stem.Patches;
    var attention = new VitBlock.Attend(VitBlock.linear(make, w, 3 * w, true), VitBlock.linear(make, w, w, true),
        a.heads());
    return new HybridBlock(LayerNorm.of(make, w, Architecture.EPSILON), attention,
        LayerNorm.of(make, w, Architecture.EPSILON),
        plain ? TimmMlp.of(make, w, 4 * w, Activation.GELU) : null, plain ? null : Gated.of(make, w, 2 * w), drop);
  }

  /// All rows, or only `rows` of the result (null: all).
  Tensor apply(Tensor x, Sequences sequences, int[] rows) {
    var a = new SelfAttention(attention.qkv(), attention.proj(), null, null, null,
        null, null, attention.heads());
    var s = rows == null || !drop.active() ? sequences : SelfAttention.picked(sequences, rows);
    var y = drop.beside(rows == null ? x : x.gather(rows), added ->
        a.apply(norm1.apply(x), Sight.full(sequences), rows, added), s, 0);
    return drop.beside(y, added ->
        mlp != null ? mlp.apply(norm2.apply(y), added) : gated.apply(norm2.apply(y), added), s, 1);
  }
}
