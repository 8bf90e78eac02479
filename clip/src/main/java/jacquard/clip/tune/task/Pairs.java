package jacquard.clip.tune.task;

import jacquard.autograd.Parameters;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.train.task.Joined;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/// Fine-tuning by CLIP's own loss as FLYP has it (Goyal et al. 2023): pairs of one class stay apart, though their
/// captions are equal.
public record Pairs(Contrastive pairs) implements Task {
  @Override public String name() { return pairs.name() + " of pairs"; }
  @Override public ClipModel model() { return pairs.model(); }
  @Override public Parameters parameters() { return pairs.parameters(); }
  @Override public List<Tensor> features(Batch part) { return pairs.features(part); }
  @Override public SequencedMap<String, Tensor> heads() { return pairs.heads(); }
  @Override public void after() { pairs.after(); }
  @Override public Map<String, Double> report() { return pairs.report(); }
  @Override public Pairs of(ClipModel model) { return new Pairs(pairs.of(model)); }

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    return pairs.losses(features, targets, IntStream.range(0, groups.length).toArray());
  }
}
