package jacquard.clip.nn.transformer;

import jacquard.autograd.Named;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// c_proj(norm(activation(c_fc(x)))) + added; the norm, of the hidden width, may be null, and so may what is added.
public record Mlp(@Named("c_fc") Linear up, @Named("ln") LayerNorm norm, @Named("c_proj") Linear down,
    Activation activation) {
  public Tensor apply(Tensor x, Tensor added) {
    var h = up.apply(x, activation);
    return down.apply(norm == null ? h : norm.apply(h), added);
  }
}
