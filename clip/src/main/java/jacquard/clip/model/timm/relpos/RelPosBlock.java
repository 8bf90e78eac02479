package jacquard.clip.model.timm.relpos;

import jacquard.autograd.Named;
import jacquard.clip.model.timm.TimmMlp;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.LayerScale;
import jacquard.clip.nn.transformer.SelfAttention;
import jacquard.tensor.Grid;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;

/// x + γ₁·attention(norm(x)), then x + γ₂·mlp(norm(x)); attention has a bias by relative position.
record RelPosBlock(LayerNorm norm1, @Named("attn") Attend attention, @Named("ls1") LayerScale scale1, LayerNorm norm2,
    TimmMlp mlp,
    @Named("ls2") LayerScale scale2, Drop drop) {
  private static final float EPSILON = 1e-6f, SCALE = 1e-6f;

  /// Packed queries, keys and values without a bias; output.
  record Attend(Linear qkv, @Named("rel_pos") RelativeBias relative, Linear proj, int heads) {
    /// All rows of `x`, or only `rows` of them (null: all).
    Tensor apply(Tensor x, Sequences sequences, Grid grid, int prefix, int[] rows) {
      int w = x.dim(1);
      var q = (rows == null ? x : x.gather(rows)).linear(qkv.weight().slice(0, 0, w), null, Activation.NONE);
      var kv = x.linear(qkv.weight().slice(0, w, 3 * w), null, Activation.NONE).split(1, w, w);
      var asking = rows == null ? sequences : SelfAttention.picked(sequences, rows);
      var op = new Attention(heads, (float) (1 / Math.sqrt(w / heads)), asking, sequences,
          Ranges.full(asking, sequences));
      return proj.apply(Tensor.apply(op.withBias(), q, kv.get(0), kv.get(1), relative.over(grid, prefix)));
    }
  }

  /// @param hidden the width within the MLP
  /// @param relative the width within the MLP of distances
  static RelPosBlock of(Init.Maker make, int width, int heads, int hidden, int relative, Drop drop) {
    var attend = new Attend(linear(make, width, 3 * width, false), RelativeBias.of(make, relative, heads),
        linear(make, width, width, true), heads);
    var mlp = new TimmMlp(linear(make, width, hidden, true), linear(make, hidden, width, true), Activation.GELU);
    return new RelPosBlock(LayerNorm.of(make, width, EPSILON), attend, scale(make, width),
        LayerNorm.of(make, width, EPSILON), mlp, scale(make, width), drop);
  }

  /// A linear layer as PyTorch begins it, which timm leaves alone here.
  static Linear linear(Init.Maker make, int in, int out, boolean bias) {
    return Linear.of(make, in, out, Init.fanIn(in), bias ? Init.fanIn(in) : null);
  }

  private static LayerScale scale(Init.Maker make, int width) {
    return new LayerScale(make.make(new Init.Constant(SCALE), width));
  }

  /// All rows, or only `rows` of the result (null: all), each the first of its sequence.
  Tensor apply(Tensor x, Sequences sequences, Grid grid, int prefix, int[] rows) {
    var from = rows == null ? x : x.gather(rows);
    var s = rows == null || !drop.active() ? sequences : SelfAttention.picked(sequences, rows);
    x = from.add(drop.path(scale1.apply(attention.apply(norm1.apply(x), sequences, grid, prefix, rows)), s, 0));
    return x.add(drop.path(scale2.apply(mlp.apply(norm2.apply(x), null)), s, 1));
  }
}
