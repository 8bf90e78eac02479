package jacquard.clip.nn;

import jacquard.autograd.Buffer;
import jacquard.autograd.Named;
import jacquard.tensor.Group;
import jacquard.tensor.Pass;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Collective;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Update;
import java.util.List;

/// Batch norm over rows of pixels: batch statistics while training (and their running averages, momentum 0.1), the
/// averages else. The batch is that of all ranks.
public record BatchNorm(Tensor weight, Tensor bias, @Buffer @Named("running_mean") Tensor mean,
    @Buffer @Named("running_var") Tensor variance,
                        @Buffer @Named("num_batches_tracked") Tensor batches, float epsilon) {
  private static final float MOMENTUM = 0.1f;

  /// With PyTorch's ε, 1e-5.
  public static BatchNorm of(Init.Maker make, int width, Init weight) { return of(make, width, weight, 1e-5f); }

  public static BatchNorm of(Init.Maker make, int width, Init weight, float epsilon) {
    return new BatchNorm(make.make(weight, width), make.make(Init.ZEROS, width), make.make(Init.ZEROS, width),
        make.make(Init.ONES, width), make.make(new Init.Count()), epsilon);
  }

  public Tensor apply(Tensor x) {
    if (!Pass.current().training()) {
      var k = weight.divide(variance.add(epsilon).sqrt());
      return x.mul(k).add(bias.subtract(mean.mul(k)));
    }
    var group = Group.current();
    if (group.size() > 1) {
      var y = Tensor.applyAll(new Collective.BatchNorm(group, epsilon, true), List.of(x, weight, bias));
      var n = y.get(3);
      Tensor.applyAll(new Update.Blend(MOMENTUM, 1), List.of(mean, y.get(1)));
      Tensor.applyAll(new Update.Blend(MOMENTUM, 1), List.of(variance, y.get(2).mul(n.divide(n.add(-1)))));
      return y.getFirst();
    }
    var y = Tensor.applyAll(new Fused.BatchNorm(epsilon, true), List.of(x, weight, bias));
    int r = x.dim(0);
    Tensor.applyAll(new Update.Blend(MOMENTUM, 1), List.of(mean, y.get(1)));
    // unbiased, as PyTorch keeps it
    Tensor.applyAll(new Update.Blend(MOMENTUM, r / (r - 1f)), List.of(variance, y.get(2)));
    return y.getFirst();
  }
}
