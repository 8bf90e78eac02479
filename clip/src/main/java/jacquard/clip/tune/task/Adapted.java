package jacquard.clip.tune.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Joined;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.adapter.Adapter;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// A task whose model has an adapter beside its layers, which alone is trained and kept; the model that others load has
/// it
/// in its weights, and PEFT's files beside them.
///
/// @param base what the adapter belongs to, and the hash of its weights
public record Adapted(Task task, Adapter adapter, String base, String hash) implements Task {
  private static final String FOLDER = "adapter";

  @Override public String name() { return task.name() + ", adapted"; }
  @Override public ClipModel model() { return task.model(); }
  @Override public Parameters parameters() { return task.parameters(); }
  @Override public List<Tensor> features(Batch part) { return task.features(part); }
  @Override public List<Tensor> targets(Batch part) { return task.targets(part); }
  @Override public SequencedMap<String, Tensor> heads() { return task.heads(); }
  @Override public Tensor penalty() { return task.penalty(); }
  @Override public void after() { task.after(); }
  @Override public Map<String, Double> report() { return task.report(); }
  @Override public Adapted of(ClipModel model) { return new Adapted(task.of(model), adapter, base, hash); }

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    return task.losses(features, targets, groups);
  }

  @Override public Map<String, Safetensors.Array> published(Map<String, Safetensors.Array> stored) {
    var merged = Adapter.merged(model());
    return Checkpoint.arrays(merged, Parameters.of(merged).all());
  }

  @Override public void publish(Path folder) throws IOException {
    adapter.of(model()).write(folder.resolve(FOLDER), model(), base, hash);
  }

  @Override public Map<String, Safetensors.Array> stored() {
    var r = new LinkedHashMap<String, Safetensors.Array>();
    parameters().trained().forEach((p, t) -> r.put(p, new Safetensors.Array(t.shape().dims(), t.floats())));
    return r;
  }

  @Override public void restore(Weights file, String prefix) throws IOException {
    for (var e : parameters().trained().entrySet()) Checkpoint.put(e.getValue(), file.floats(prefix + e.getKey()));
  }
}
