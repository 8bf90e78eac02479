package jacquard.clip.model.genlip;

import jacquard.autograd.Named;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.Rotation;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;
import java.util.List;
import java.util.stream.IntStream;

/// Blocks and a last norm: x + λ₁·attention(norm(x)), then x + λ₂·mlp(norm(x)).
record Trunk(List<Layer> layers, @Named("ln_post") Norm norm) {
  Tensor apply(Tensor x, Sequences s, Ranges ranges, Rotation rotation) {
    for (var layer : layers) x = Transformer.once(x, t -> layer.apply(t, s, ranges, rotation));
    return norm.apply(x);
  }

  record Layer(@Named("layer_norm1") Norm norm1, @Named("self_attn") Attend attention,
      @Named("layer_scale1") Scale scale1,
      @Named("layer_norm2") Norm norm2, Mlp mlp, @Named("layer_scale2") Scale scale2, Drop drop) {
    Tensor apply(Tensor x, Sequences s, Ranges ranges, Rotation rotation) {
      var a = attention.apply(norm1.apply(x), s, ranges, rotation);
      x = x.add(drop.path(scale1 == null ? a : a.mul(scale1.lambda), s, 0));
      var m = mlp.apply(norm2.apply(x));
      return x.add(drop.path(scale2 == null ? m : m.mul(scale2.lambda), s, 1));
    }
  }

  record Scale(@Named("lambda1") Tensor lambda) {}

  /// A layer norm, or without a bias (null) an RMS norm.
  record Norm(Tensor weight, Tensor bias, float epsilon) {
    static Norm of(Init.Maker make, int width, GenLipConfig c) {
      return new Norm(make.make(Init.ONES, width), c.norm() == GenLipConfig.NormType.LAYERNORM
          ? make.make(Init.ZEROS, width) : null, (float) c.epsilon());
    }

    Tensor apply(Tensor x) { return bias == null ? new jacquard.clip.nn.RmsNorm(weight, epsilon).apply(x)
        : x.layerNorm(weight, bias, epsilon); }

    Tensor perHead(Tensor x, int heads) { return apply(x.reshape(x.dim(0) * heads, x.dim(1) / heads))
        .reshape(x.shape()); }
  }

  /// attention(q, k, v)·σ(gate), then out, of [q, gate] = q_proj; ungated without σ.
  record Attend(@Named("q_proj") Linear queries, @Named("k_proj") Linear keys, @Named("v_proj") Linear values,
      @Named("out_proj") Linear out,
      @Named("q_norm") Norm normQueries, @Named("k_norm") Norm normKeys, int heads) {
    Tensor apply(Tensor x, Sequences s, Ranges ranges, Rotation rotation) {
      int w = x.dim(1);
      var asked = queries.apply(x);
      Tensor q = asked.slice(1, 0, w), k = keys.apply(x), gate = asked.dim(1) == w ? null : asked.slice(1, w, 2 * w);
      if (normQueries != null) {
        q = normQueries.perHead(q, heads);
        k = normKeys.perHead(k, heads);
      }
      var op = new Attention(heads, (float) (1 / Math.sqrt(w / heads)), s, s, ranges);
      var o = Tensor.apply(op, rotation.apply(q), rotation.apply(k), values.apply(x));
      return out.apply(gate == null ? o : o.mul(gate.sigmoid()));
    }
  }

  /// fc2(act(gate_fc(x))·fc1(x)), or without a gate fc2(act(fc1(x))).
  record Mlp(Linear fc1, @Named("gate_fc") Linear gate, Linear fc2, Activation activation) {
    Tensor apply(Tensor x) { return fc2.apply(gate == null ? fc1.apply(x, activation) : gate.apply(x, activation)
        .mul(fc1.apply(x))); }
  }

  static Trunk of(Init.Maker make, GenLipConfig c) {
    return new Trunk(IntStream.range(0, c.depth()).mapToObj(i -> layer(make, c, new Drop(c.dropPath(), "layers." + i)))
        .toList(), Norm.of(make, c.width(), c));
  }

  private static Layer layer(Init.Maker make, GenLipConfig c, Drop drop) {
    int w = c.width(), h = c.hidden();
    var q = linear(make, w, c.gated() ? 2 * w : w, c.attentionBias(), 0);
    var attention = new Attend(q, linear(make, w, w, c.attentionBias(), 0), linear(make, w, w, c.attentionBias(), 0),
        linear(make, w, w, c.attentionBias(), 0),
        c.queryKeyNorm() ? Norm.of(make, c.head(), c) : null, c.queryKeyNorm() ? Norm.of(make, c.head(), c) : null,
            c.heads());
    var activation = switch (c.activation()) {
      case SILU -> Activation.SILU;
      case GELU -> Activation.GELU;
      case RELU -> Activation.RELU;
    };
    var mlp = new Mlp(linear(make, w, h, c.mlpBias(), 1e-6), c.swiglu() ? linear(make, w, h, c.mlpBias(), 1e-6) : null,
        linear(make, h, w, c.mlpBias(), 1e-6), activation);
    return new Layer(Norm.of(make, w, c), attention, scale(make, c), Norm.of(make, w, c), mlp, scale(make, c), drop);
  }

  private static Linear linear(Init.Maker make, int in, int out, boolean bias, double deviation) {
    return Linear.of(make, in, out, Init.xavier(in, out), bias ? deviation == 0 ? Init.ZEROS
        : new Init.Normal(deviation) : null);
  }

  private static Scale scale(Init.Maker make, GenLipConfig c) {
    double start = c.layerScale().orElse(0);
    return start > 1e-6 ? new Scale(make.make(new Init.Constant((float) start), c.width())) : null;
  }
}
