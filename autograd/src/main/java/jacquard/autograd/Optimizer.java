package jacquard.autograd;

import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Predicate;

/// Turns gradients into changes of the parameters, in place. The moments are made at construction, in the scope current then.
public sealed interface Optimizer {
  /// @param gradients by parameter path; what is absent is left as it is
  /// @param factor    by which every gradient is multiplied first: clipping
  void step(Map<String, Tensor> gradients, double rate, float factor);

  /// What a checkpoint must hold to go on: names → tensors, written in place on resume by [#restore].
  SequencedMap<String, Tensor> state();

  long steps();

  void restore(long steps);

  /// Decoupled weight decay (Loshchilov and Hutter 2019); see [Update.AdamW].
  final class AdamW implements Optimizer {
    private final SequencedMap<String, Tensor> parameters;
    private final SequencedMap<String, Tensor> moments = new LinkedHashMap<>();
    private final double beta1, beta2, epsilon, decay;
    private final Predicate<String> decayed;
    private long steps;

    /// @param decayed which paths decay; see [#decays] for OpenCLIP's rule
    public AdamW(Parameters parameters, double beta1, double beta2, double epsilon, double decay, Predicate<String> decayed) {
      this.parameters = parameters.trained();
      this.beta1 = beta1;
      this.beta2 = beta2;
      this.epsilon = epsilon;
      this.decay = decay;
      this.decayed = decayed;
      this.parameters.forEach((path, p) -> {
        moments.put(path + ".m", Tensor.zeros(p.shape()));
        moments.put(path + ".v", Tensor.zeros(p.shape()));
      });
    }

    /// OpenCLIP's rule: all but vectors, scalars, and position and class embeddings decay.
    public static Predicate<String> decays(Parameters parameters) {
      var all = parameters.all();
      return path -> all.get(path).shape().rank() > 1 && !path.equals("text.positional_embedding") && !path.equals("visual.positional_embedding");
    }

    @Override public void step(Map<String, Tensor> gradients, double rate, float factor) {
      steps++;
      parameters.forEach((path, p) -> {
        var g = gradients.get(path);
        if (g == null) return;
        double d = decayed.test(path) ? decay : 0;
        Tensor.applyAll(new Update.AdamW(rate, beta1, beta2, epsilon, d, steps, factor), List.of(p, moments.get(path + ".m"), moments.get(path + ".v"), g));
      });
    }

    @Override public SequencedMap<String, Tensor> state() { return moments; }
    @Override public long steps() { return steps; }
    @Override public void restore(long steps) { this.steps = steps; }
  }
}
