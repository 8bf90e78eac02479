package jacquard.clip.train;

import jacquard.clip.data.Batches.Batch;
import jacquard.clip.loss.ContrastiveLoss;
import jacquard.tensor.Group;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Collective;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// The pairs of all ranks as one batch. Every rank computes the loss of all pairs from the gathered features, and its backward hands each rank the
/// sum of what all ranks have for its rows, `size` times the gradient of the joined batch; the mean over ranks is then that gradient, logit scale
/// and bias included.
final class Joined {
  private final Group group;
  private final int[] rows, captions;

  Joined(Group group, Batch batch) {
    this.group = group;
    this.rows = group.allGather("the number of pairs", batch.count());
    this.captions = group.allGather("captions", batch.groups());
  }

  /// As many micro-batches as are asked for, or as the rank with the fewest pairs has pairs.
  int parts(int parts) {
    int fewest = Arrays.stream(rows).min().orElse(0);
    if (fewest == 0) throw new IllegalStateException("a rank has no readable pair: the ranks have " + Arrays.toString(rows));
    return Math.min(parts, fewest);
  }

  /// @param x,t this rank's features
  Tensor loss(Tensor x, Tensor t, Tensor scale, Tensor bias, boolean sigmoid) {
    if (!sigmoid) return ContrastiveLoss.softmax(gathered(x), gathered(t), scale, captions);
    if (bias == null) throw new IllegalArgumentException("the sigmoid loss needs a model with init_logit_bias");
    return ContrastiveLoss.sigmoid(gathered(x), gathered(t), scale, bias, captions);
  }

  private Tensor gathered(Tensor x) { return group.size() == 1 ? x : Tensor.apply(new Collective.AllGather(group, rows), x); }

  SequencedMap<String, Tensor> averaged(SequencedMap<String, Tensor> gradients) {
    if (group.size() == 1) return gradients;
    var means = Tensor.applyAll(new Collective.AllReduce(group, 1f / group.size(), gradients.size()), List.copyOf(gradients.values()));
    var r = new LinkedHashMap<String, Tensor>();
    int i = 0;
    for (var name : gradients.keySet()) r.put(name, means.get(i++));
    return r;
  }
}
