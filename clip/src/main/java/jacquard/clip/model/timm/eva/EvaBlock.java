package jacquard.clip.model.timm.eva;

import jacquard.autograd.Named;
import jacquard.clip.model.timm.VitBlock;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.Rotation;
import jacquard.clip.nn.transformer.SelfAttention;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// x + attention(norm(x)), then x + mlp(norm(x)); or, with the norms behind, x + norm(attention(x)), then x +
/// norm(mlp(x)).
record EvaBlock(LayerNorm norm1, @Named("attn") EvaAttention attention, LayerNorm norm2, Mlp mlp, boolean postNorm,
    Drop drop) {
  /// fc2(gelu(fc1(x))), or fc2(norm(silu(gate(x))·value(x))); the absent are null.
  record Mlp(Linear fc1, @Named("fc1_g") Linear gate, @Named("fc1_x") Linear value, LayerNorm norm, Linear fc2) {
    Tensor apply(Tensor x, Tensor added) {
      var h = fc1 != null ? fc1.apply(x, Activation.GELU)
          : norm.apply(gate.apply(x, Activation.SILU).mul(value.apply(x)));
      return fc2.apply(h, added);
    }
  }

  static EvaBlock of(Init.Maker make, Architecture a, int index, Drop drop) {
    int w = a.width(), hidden = a.hidden();
    float e = a.kind().epsilon;
    double deep = Math.sqrt(2 * (index + 1));
    boolean gated = a.kind() == Architecture.Kind.EVA02;
    var mlp = new Mlp(gated ? null : VitBlock.linear(make, w, hidden, true), gated
        ? VitBlock.linear(make, w, hidden, true) : null,
        gated ? VitBlock.linear(make, w, hidden, true) : null, gated ? LayerNorm.of(make, hidden, e) : null,
        Linear.of(make, hidden, w, new Init.Normal(0.02 / deep), Init.ZEROS));
    return new EvaBlock(LayerNorm.of(make, w, e), EvaAttention.of(make, a, deep), LayerNorm.of(make, w, e), mlp,
        a.kind() == Architecture.Kind.POST_NORM, drop);
  }

  /// All rows, or only `rows` of the result (null: all).
  Tensor apply(Tensor x, Sequences sequences, Rotation rotation, int[] rows) {
    var from = rows == null ? x : x.gather(rows);
    var s = rows == null || !drop.active() ? sequences : SelfAttention.picked(sequences, rows);
    if (postNorm) {
      var y = from.add(drop.path(norm1.apply(attention.apply(x, sequences, rotation, rows, null)), s, 0));
      return y.add(drop.path(norm2.apply(mlp.apply(y, null)), s, 1));
    }
    var y = drop.beside(from, added -> attention.apply(norm1.apply(x), sequences, rotation, rows, added), s, 0);
    return drop.beside(y, added -> mlp.apply(norm2.apply(y), added), s, 1);
  }
}
