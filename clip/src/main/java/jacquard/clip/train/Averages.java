package jacquard.clip.train;

import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.train.task.Section;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/// Running averages of all floats of a model, batch statistics among them (Polyak and Juditsky 1992): w̄ ← decay·w̄ +
/// (1 − decay)·w after each step. After the first steps, while weights move fast, w̄ is a copy; as OpenCLIP's
/// `update_ema(step)`.
public final class Averages implements Section {
  /// As OpenCLIP: the steps numbered 0 and 1.
  public static final long COPIED = 2;

  private final Task task, averaged;
  private final double decay;
  private final long copied;

  /// @param decay  how much of the average stays at a step, from 0 to 1
  /// @param copied how many steps are copied before
  public Averages(Task task, double decay, long copied) {
    if (!(decay >= 0 && decay < 1))
      throw new IllegalArgumentException("averages that keep " + decay + " of themselves, expected at least 0 and "
          + "less than 1");
    this.task = task;
    this.averaged = task.copied();
    this.decay = decay;
    this.copied = copied;
  }

  /// @param step how many steps the run has made, from 1
  void after(long step) { blend(step <= copied ? 1 : (float) (1 - decay)); }

  /// The task of the averages.
  public Task averaged() { return averaged; }

  private void blend(float share) {
    var to = averaged.parameters().all();
    var in = new ArrayList<Tensor>();
    task.parameters().all().forEach((path, t) -> { if (t.dtype().floating()) in.addAll(List.of(to.get(path), t)); });
    Tensor.applyAll(new Update.Together(Collections.nCopies(in.size() / 2, new Update.Blend(share, 1))), in);
  }

  @Override public Map<String, Safetensors.Array> stored() { return averaged.stored(); }

  /// A run that had none begins them from its weights, which are there already.
  @Override public void restore(Weights file, String prefix) throws IOException {
    if (file.names().stream().anyMatch(n -> n.startsWith(prefix))) averaged.restore(file, prefix);
    else blend(1);
  }
}
