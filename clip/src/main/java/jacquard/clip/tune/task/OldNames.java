package jacquard.clip.tune.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.loss.SoftmaxLoss;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.train.task.Joined;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Pass;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// Learning without forgetting (Li and Hoiem 2016): beside its own loss a task keeps what the model said before of the
/// pictures at hand, over old names.
///
/// @param student whose first features are the pictures', normalised
/// @param before  the model as it was
/// @param bank    features of the old names, `[names, embedding]`
public record OldNames(Task student, ClipModel before, Tensor bank, double weight, double temperature) implements Task {
  public OldNames {
    if (!(weight >= 0)) throw new IllegalArgumentException("the weight of the old names is " + weight
        + ", expected 0 or more");
    if (!(temperature > 0)) throw new IllegalArgumentException("a temperature of " + temperature
        + ", expected more than 0");
  }

  @Override public String name() { return student.name() + ", old names"; }
  @Override public ClipModel model() { return student.model(); }
  @Override public Parameters parameters() { return student.parameters(); }
  @Override public SequencedMap<String, Tensor> heads() { return student.heads(); }
  @Override public void after() { student.after(); }
  @Override public Tensor penalty() { return student.penalty(); }
  @Override public Map<String, Double> report() { return student.report(); }
  @Override public OldNames of(ClipModel model) { return new OldNames(student.of(model), before, bank, weight,
      temperature); }
  @Override public List<Tensor> features(Batch part) { return student.features(part); }

  @Override public Map<String, Safetensors.Array> published(Map<String, Safetensors.Array> stored) {
    return student.published(stored);
  }

  @Override public void publish(Path folder) throws IOException { student.publish(folder); }
  @Override public Map<String, Safetensors.Array> stored() { return student.stored(); }
  @Override public void restore(Weights file, String prefix) throws IOException { student.restore(file, prefix); }

  /// The student's, then the old model's logits over the old names.
  @Override public List<Tensor> targets(Batch part) {
    var r = new ArrayList<>(student.targets(part));
    r.add(Pass.current().inference().call(() -> logits(before.embedImages(
        ImageBatch.of(part.pictures().rows(), part.count(), part.pictures().grid())))));
    return r;
  }

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    int last = targets.own().size() - 1;
    var r = student.losses(features, targets.part(0, last), groups);
    var loss = SoftmaxLoss.distilled(logits(features.own().getFirst()), targets.own().get(last), (float) temperature);
    r.put("old_names_loss", features.mean(loss).mul((float) weight));
    return r;
  }

  private Tensor logits(Tensor x) { return x.matmul(false, bank, true).mul(before.scale()); }
}
