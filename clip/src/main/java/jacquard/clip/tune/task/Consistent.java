package jacquard.clip.tune.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.data.Batch;
import jacquard.clip.loss.SoftmaxLoss;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.train.task.Around;
import jacquard.clip.train.task.Joined;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.learned.Prompted;
import jacquard.clip.tune.prompt.Independent;
import jacquard.tensor.Pass;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// PromptSRC (Khattak et al. 2023): prompted features and answers stay near those without a prompt,
/// + 25·mean|g − g₀| + 10·mean|f − f₀| + Σ KL(p₀ ‖ p)/(n·names), and the prompt that is kept is the sum of the epochs'
/// prompts, most of it from the later ones.
///
/// @param task   within which the prompt is trained
/// @param bank   features of the names without a prompt, `[names, embedding]`
/// @param shares of each epoch's prompt in the one that is kept
/// @param epochs how long they are
/// @param sums   of them so far, by path; begins at 0
/// @param step   how many steps were made, one element
public record Consistent(Beside task, Tensor bank, int[][] captions, double[] shares, Start.Epochs epochs,
    SequencedMap<String, Tensor> sums, long[] step) implements Around {
  private static final float TEXTS = 25, PICTURES = 10;
  private static final String SUM = "sum.", STEP = "steps";

  public static Consistent of(Beside task, Tensor bank, int[][] captions, Start.Epochs epochs) {
    int n = epochs.count();
    var sums = new LinkedHashMap<String, Tensor>();
    task.parameters().trained().forEach((p, t) -> sums.put(p, Tensor.zeros(t.shape())));
    // theirs, for 20 epochs: 15 ± 1
    return new Consistent(task, bank, captions, Independent.shares(n, 0.75 * n, Math.max(1, n / 20.0)),
        epochs, sums, new long[1]);
  }

  @Override public String name() { return task.name() + ", consistent"; }
  @Override public Consistent of(ClipModel model) {
    return new Consistent(task.of(model), bank, captions, shares, epochs, sums, step);
  }

  /// The task's, then the pictures' features without a prompt.
  @Override public List<Tensor> targets(Batch part) {
    var r = new ArrayList<>(task.targets(part));
    r.add(Pass.current().inference().call(() -> task.plain().embedImages(
        ImageBatch.of(part.pictures().rows(), part.count(), part.pictures().grid()))));
    return r;
  }

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    int last = targets.own().size() - 1;
    var r = task.losses(features, targets.part(0, last), groups);
    Tensor f = features.own().get(0), before = targets.own().get(last), z = features.own().get(1);
    r.put("pictures_loss", features.mean(apart(f, before)).mul(PICTURES));
    r.put("answers_loss", features.mean(SoftmaxLoss.consistent(z, before.matmul(false, bank, true)
        .mul(task.plain().scale()))));
    return r;
  }

  @Override public Tensor penalty() {
    return apart(model().embedTexts(captions), bank.slice(0, 0, captions.length)).mul(TEXTS);
  }

  /// The mean of |a − b|.
  private static Tensor apart(Tensor a, Tensor b) {
    var d = a.subtract(b);
    return d.activate(Activation.RELU).add(d.mul(-1).activate(Activation.RELU)).sum().mul(1f / d.shape().size());
  }

  @Override public void after() {
    task.after();
    int epoch = (int) (step[0]++ / epochs.each());
    if (step[0] % epochs.each() != 0 && step[0] != epochs.steps()) return;
    task.parameters().trained().forEach((p, t) -> Checkpoint.put(sums.get(p), sums.get(p).add(t.mul((float)
        shares[epoch])).floats()));
  }

  @Override public Map<String, Safetensors.Array> stored() {
    var r = new LinkedHashMap<>(task.stored());
    sums.forEach((p, t) -> r.put(SUM + p, new Safetensors.Array(t.shape().dims(), t.floats())));
    r.put(STEP, new Safetensors.Array(new int[] {1}, new float[] {step[0]}));
    return r;
  }

  @Override public void restore(Weights file, String prefix) throws IOException {
    task.restore(file, prefix);
    for (var e : sums.entrySet()) Checkpoint.put(e.getValue(), file.floats(prefix + SUM + e.getKey()));
    step[0] = (long) file.floats(prefix + STEP)[0];
  }

  /// The sum once all epochs are in it.
  @Override public void publish(Path folder) throws IOException {
    if (step[0] < epochs.steps()) {
      task.publish(folder);
      return;
    }
    var p = (Prompted) task.learned();
    new Beside(task.task(), new Prompted(p.kind(), Parameters.map(p.prompt(), (path, _) ->
        sums.get("text.prompt." + path)), p.words()), task.plain()).publish(folder);
  }
}
