package jacquard.clip.model.timm;

import jacquard.autograd.Named;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.Block;
import jacquard.clip.nn.transformer.LayerScale;
import jacquard.clip.nn.transformer.Mlp;
import jacquard.clip.nn.transformer.SelfAttention;
import jacquard.tensor.op.Activation;

/// A block of timm's ViT: what OpenCLIP's is, under timm's names.
public record VitBlock(LayerNorm norm1, @Named("attn") Attend attention, @Named("ls1") LayerScale scale1,
    LayerNorm norm2,
    TimmMlp mlp, @Named("ls2") LayerScale scale2, Drop drop) {
  /// Packed queries, keys and values; output.
  public record Attend(Linear qkv, Linear proj, int heads) {}

  /// @param qkvBias whether queries, keys and values have a bias
  /// @param layerScale what the layer scales start from; 0 without
  public static VitBlock of(Init.Maker make, int width, int heads, int hidden, boolean qkvBias, double layerScale,
      float epsilon,
      Activation activation, Drop drop) {
    return new VitBlock(LayerNorm.of(make, width, epsilon),
        new Attend(linear(make, width, 3 * width, qkvBias), linear(make, width, width, true), heads),
        scale(make, layerScale, width),
        LayerNorm.of(make, width, epsilon), TimmMlp.of(make, width, hidden, activation),
        scale(make, layerScale, width), drop);
  }

  /// A linear layer as timm's transformers begin it: N(0, 0.02²), no bias' worth.
  public static Linear linear(Init.Maker make, int in, int out, boolean bias) {
    return Linear.of(make, in, out, new Init.Normal(0.02), bias ? Init.ZEROS : null);
  }

  private static LayerScale scale(Init.Maker make, double start, int width) {
    return start == 0 ? null : new LayerScale(make.make(new Init.Constant((float) start), width));
  }

  /// The same block with what it computes.
  public Block block() {
    var a = new SelfAttention(attention.qkv, attention.proj, null, null, null, null,
        null, attention.heads);
    return new Block(norm1, a, null, scale1, norm2, new Mlp(mlp.fc1(), null, mlp.fc2(), mlp.activation()), scale2,
        drop);
  }
}
