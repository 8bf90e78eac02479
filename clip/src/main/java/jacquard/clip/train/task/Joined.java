package jacquard.clip.train.task;

import jacquard.tensor.Tensor;
import java.util.List;

/// Tensors of the batch that all ranks share, a row a sample.
///
/// @param own   of this rank's samples, each `[own, …]`
/// @param all   of the samples of all ranks in their order, each `[all, …]`; the very same where there is one rank
/// @param first the number of this rank's first sample among all
public record Joined(List<Tensor> own, List<Tensor> all, int first) {
  public static Joined alone(List<Tensor> all) { return new Joined(all, all, 0); }

  /// Whether this rank has all samples.
  public boolean whole() { return own == all; }

  /// This rank's part of the mean over all samples, from the mean over its own.
  public Tensor mean(Tensor ofOwn) {
    return whole() ? ofOwn : ofOwn.mul((float) own.getFirst().dim(0) / all.getFirst().dim(0));
  }

  /// Some of them.
  public Joined part(int from, int to) {
    return whole() ? alone(own.subList(from, to)) : new Joined(own.subList(from, to), all.subList(from, to), first);
  }
}
