package jacquard.clip.tune.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/// A task whose model is, for others, the mean of its weights along the way, those it began with among them: each
/// `every` steps they are taken in (ZSCL's weight ensemble, Zheng et al. 2023).
///
/// @param means so far, of what is trained, by path
/// @param taken how many steps were made, one element
public record Averaged(Task task, long every, Map<String, Tensor> means, long[] taken) implements Around {
  private static final String MEAN = "mean.", STEP = "steps";

  public static Averaged of(Task task, long every) {
    var means = new LinkedHashMap<String, Tensor>();
    task.parameters().trained().forEach((p, t) -> means.put(p, t.copy()));
    return new Averaged(task, every, means, new long[1]);
  }

  @Override public String name() { return task.name() + ", averaged"; }
  @Override public Averaged of(ClipModel model) { return new Averaged(task.of(model), every, means, taken); }

  @Override public void after() {
    task.after();
    if (++taken[0] % every != 0) return;
    float share = 1f / (taken[0] / every + 1);
    task.parameters().trained().forEach((p, t) -> Checkpoint.put(means.get(p),
        means.get(p).mul(1 - share).add(t.mul(share)).floats()));
  }

  @Override public Map<String, Safetensors.Array> published(Map<String, Safetensors.Array> stored) {
    var mean = task.of(Parameters.map(task.model(), (p, t) -> means.getOrDefault(p, t)));
    return mean.published(mean.stored());
  }

  @Override public Map<String, Safetensors.Array> stored() {
    var r = new LinkedHashMap<>(task.stored());
    means.forEach((p, t) -> r.put(MEAN + p, new Safetensors.Array(t.shape().dims(), t.floats())));
    r.put(STEP, new Safetensors.Array(new int[] {1}, new float[] {taken[0]}));
    return r;
  }

  @Override public void restore(Weights file, String prefix) throws IOException {
    task.restore(file, prefix);
    for (var e : means.entrySet()) Checkpoint.put(e.getValue(), file.floats(prefix + MEAN + e.getKey()));
    taken[0] = (long) file.floats(prefix + STEP)[0];
  }
}
