package jacquard.clip.model.timm.naflex;

import jacquard.autograd.Named;
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
import java.util.List;

/// A block of timm's ViT, or one with a gated MLP, whose tensors are named as EVA's.
sealed interface FlexBlock {
  Tensor apply(Tensor x, Sequences sequences);

  record Plain(@Named("") VitBlock block) implements FlexBlock {
    @Override public Tensor apply(Tensor x, Sequences s) { return block.block().apply(x, Sight.full(s), null); }
  }

  /// x + γ₁·attention(norm(x)), then x + γ₂·fc2(silu(a)·b) of [a, b] = fc1(norm(x)). γ `[width]`.
  record Gated(LayerNorm norm1, @Named("attn") Attend attention, @Named("gamma_1") Tensor scale1, LayerNorm norm2,
      Mlp mlp,
      @Named("gamma_2") Tensor scale2, Drop drop) implements FlexBlock {
    /// Keys have no bias.
    record Attend(Linear qkv, @Named("q_bias") Tensor queryBias, @Named("v_bias") Tensor valueBias, Linear proj,
        int heads) {}

    record Mlp(Linear fc1, Linear fc2) {}

    @Override public Tensor apply(Tensor x, Sequences s) {
      var a = attention;
      var bias = Tensor.concat(0, List.of(a.queryBias, Tensor.zeros(a.queryBias.shape()), a.valueBias));
      var all = new SelfAttention(new Linear.Dense(a.qkv.weight(), bias), a.proj, null, null, null, null, null,
          a.heads);
      x = x.add(drop.path(all.apply(norm1.apply(x), Sight.full(s), null, null).mul(scale1), s, 0));
      int hidden = mlp.fc2.weight().dim(1);
      var parts = mlp.fc1.apply(norm2.apply(x)).split(1, hidden, hidden);
      return x.add(drop.path(mlp.fc2.apply(parts.get(0).activate(Activation.SILU).mul(parts.get(1))).mul(scale2), s,
          1));
    }
  }

  static FlexBlock of(Init.Maker make, Architecture a, Drop drop) {
    int w = a.width(), hidden = (int) (w * a.mlpRatio());
    if (!a.gated())
      return new Plain(VitBlock.of(make, w, a.heads(), hidden, a.qkvBias(), a.layerScale(), a.epsilon(),
          a.activation(), drop));
    var attention = new Gated.Attend(VitBlock.linear(make, w, 3 * w, false), make.make(Init.ZEROS, w),
        make.make(Init.ZEROS, w),
        VitBlock.linear(make, w, w, true), a.heads());
    return new Gated(LayerNorm.of(make, w, a.epsilon()), attention,
        make.make(new Init.Constant((float) a.layerScale()), w),
        LayerNorm.of(make, w, a.epsilon()),
        new Gated.Mlp(VitBlock.linear(make, w, 2 * hidden, true), VitBlock.linear(make, hidden, w, true)),
        make.make(new Init.Constant((float) a.layerScale()), w), drop);
  }
}
