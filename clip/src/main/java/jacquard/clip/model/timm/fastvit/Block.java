package jacquard.clip.model.timm.fastvit;

import jacquard.autograd.Named;
import jacquard.clip.model.timm.VitBlock;
import jacquard.clip.nn.BatchNorm;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.convolution.ConvNorm;
import jacquard.clip.nn.convolution.Pointwise;
import jacquard.tensor.Grid;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;

/// A block of a stage: cells mixed, then channels, each beside what came in.
sealed interface Block {
  Tensor apply(Tensor x, Grid grid);

  /// The same in evaluation, with fewer convolutions.
  Block folded();

  /// γ, a factor a channel: `[width, 1, 1]`.
  record Scale(Tensor gamma) {
    static Scale of(Init.Maker make, int width) { return new Scale(make.make(new Init.Constant(1e-5f), width, 1, 1)); }
    Tensor apply(Tensor x) { return x.mul(gamma.reshape(x.dim(1))); }
  }

  /// fc2(gelu(fc1(norm(conv(x))))), a 7×7 kernel a channel.
  record Mlp(@Named("conv") ConvNorm convolution, Pointwise fc1, Pointwise fc2) {
    static Mlp of(Init.Maker make, int width, int hidden) {
      Init start = new Init.Normal(0.02);
      var c = ConvNorm.of(make, Shape.of(width, 7, 7, 1), 1, width);
      return new Mlp(c, Pointwise.of(make, width, hidden, start, Init.ZEROS),
          Pointwise.of(make, hidden, width, start, Init.ZEROS));
    }
    Tensor apply(Tensor x, Grid grid) {
      return fc2.apply(fc1.apply(convolution.apply(x, grid), Activation.GELU), Activation.NONE);
    }
  }

  /// x + γ·(mixer(x) − norm(x)), or that in one convolution; the absent are null.
  record Mixer(MobileOne norm, MobileOne mixer, @Named("layer_scale") Scale scale,
      @Named("reparam_conv") Conv2d whole) {
    static Mixer of(Init.Maker make, int width, boolean folded) {
      var shape = MobileOne.Shaped.of(width, width, 3, 1, true);
      if (folded) return new Mixer(null, null, null, shape.convolution(make));
      return new Mixer(MobileOne.of(make, shape.alone(), null, Activation.NONE),
          MobileOne.of(make, shape, null, Activation.NONE),
          Scale.of(make, width), null);
    }

    Tensor apply(Tensor x, Grid grid) {
      return whole != null ? whole.apply(x, grid)
          : x.add(scale.apply(mixer.apply(x, grid).subtract(norm.apply(x, grid))));
    }

    Mixer folded() {
      if (whole != null) return this;
      var like = mixer.branches().getFirst().convolution();
      var f = new Folding(like);
      f.addIdentity();
      f.add(scale.gamma, mixer.sum(like), norm.sum(like));
      return new Mixer(null, null, null, f.convolution());
    }
  }

  /// mixer(x) =: y, then y + γ·mlp(y).
  record Mixing(@Named("token_mixer") Mixer mixer, Mlp mlp, @Named("layer_scale") Scale scale, Drop drop)
      implements Block {
    static Mixing of(Init.Maker make, int width, int hidden, boolean folded, Drop drop) {
      return new Mixing(Mixer.of(make, width, folded), Mlp.of(make, width, hidden), Scale.of(make, width), drop);
    }

    @Override public Tensor apply(Tensor x, Grid grid) {
      x = mixer.apply(x, grid);
      return x.add(drop.path(scale.apply(mlp.apply(x, grid)), grid.size(), 0));
    }

    @Override public Mixing folded() { return new Mixing(mixer.folded(), mlp, scale, drop); }
  }

  /// x + γ₁·attention(norm(x)) =: y, then y + γ₂·mlp(y). One of the two norms is null.
  record Attending(@Named("norm") LayerNorm layerNorm, @Named("norm") BatchNorm batchNorm,
      @Named("token_mixer") Attend attention,
      @Named("layer_scale_1") Scale scale1, Mlp mlp, @Named("layer_scale_2") Scale scale2, Drop drop) implements Block {
    record Attend(Linear qkv, Linear proj) {}

    static Attending of(Init.Maker make, int width, int hidden, boolean layerNorm, Drop drop) {
      return new Attending(layerNorm ? LayerNorm.of(make, width, 1e-5f) : null, layerNorm ? null
          : BatchNorm.of(make, width, Init.ONES),
          new Attend(VitBlock.linear(make, width, 3 * width, false), VitBlock.linear(make, width, width, true)),
          Scale.of(make, width),
          Mlp.of(make, width, hidden), Scale.of(make, width), drop);
    }

    @Override public Tensor apply(Tensor x, Grid grid) {
      int width = x.dim(1);
      var cells = Sequences.equal(x.dim(0) / grid.size(), grid.size());
      var parts = attention.qkv.apply(layerNorm != null ? layerNorm.apply(x) : batchNorm.apply(x))
          .split(1, width, width, width);
      var op = new Attention(width / Architecture.HEAD, (float) (1 / Math.sqrt(Architecture.HEAD)), cells, cells,
          Ranges.full(cells, cells));
      var y = attention.proj.apply(Tensor.apply(op, parts.get(0), parts.get(1), parts.get(2)));
      x = x.add(drop.path(scale1.apply(y), grid.size(), 0));
      return x.add(drop.path(scale2.apply(mlp.apply(x, grid)), grid.size(), 1));
    }

    @Override public Attending folded() { return this; }
  }
}
