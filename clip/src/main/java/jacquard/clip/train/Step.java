package jacquard.clip.train;

import jacquard.autograd.Grad;
import jacquard.autograd.Parameters;
import jacquard.clip.data.Batches.Batch;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.tensor.Group;
import jacquard.tensor.Interpreter;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// The loss of a batch and its gradients, whole or by micro-batches.
public final class Step {
  public record Result(double loss, SequencedMap<String, Tensor> gradients) {}

  private static final Interpreter WITHOUT_UPDATES = (op, in) -> op instanceof Update ? List.of() : Interpreter.PLAIN.apply(op, in);

  /// Elements of gradients that are used together: few launches on a GPU, little memory.
  private static final long GROUP = 1 << 24;

  private Step() {}

  /// The step of training under `key`.
  public static Result of(ClipModel model, Parameters parameters, Batch batch, int parts, boolean sigmoid, Random key) { return of(model, parameters, batch, parts, sigmoid, Pass.training(key)); }

  /// The step that all ranks of the current group take together, each with its own pairs: the loss over the pairs of all, and the same gradients
  /// on all. It is that of one rank with the joined batch.
  ///
  /// @param micro micro-batches. With more than one the features of all are computed first, the loss and its gradient with respect to
  ///              them next, and each part's towers run again to carry that back: exactly the gradient of the joined batch
  ///              (Gao et al. 2021, GradCache), but for batch norm, whose statistics are each part's own.
  public static Result of(ClipModel model, Parameters parameters, Batch batch, int micro, boolean sigmoid, Pass pass) {
    var all = new Joined(Group.current(), batch);
    int parts = all.parts(micro);
    if (parts == 1) {
      var step = pass(pass, batch, 0, batch.count()).call(() -> Grad.valueAndGrad(parameters, loss(all, model, batch, sigmoid)));
      return new Result(step.value().item(), all.averaged(step.gradients()));
    }
    var x = new ArrayList<Tensor>();
    var t = new ArrayList<Tensor>();
    for (int p = 0; p < parts; p++) {
      int from = batch.count() * p / parts, to = batch.count() * (p + 1) / parts;
      var f = Scope.results(() -> ScopedValue.where(Interpreter.CURRENT, WITHOUT_UPDATES).call(() -> pass(pass, batch, from, to).call(() -> features(model, batch, from, to))));
      x.add(f.get(0));
      t.add(f.get(1));
    }
    var in = new ArrayList<>(List.of(Tensor.concat(0, x), Tensor.concat(0, t), model.logitScale()));
    if (model.logitBias() != null) in.add(model.logitBias());
    var outer = Grad.vjp(in, v -> List.of(all.loss(v.get(0), v.get(1), v.get(2).exp(), v.size() > 3 ? v.get(3) : null, sigmoid)), _ -> List.of(Tensor.scalar(1)));
    var sums = new LinkedHashMap<String, Tensor>();
    for (int p = 0; p < parts; p++) {
      int from = batch.count() * p / parts, to = batch.count() * (p + 1) / parts;
      try (var scope = Scope.open()) {
        var part = pass(pass, batch, from, to).call(() -> Grad.valueAndGrad(parameters, () -> {
          var f = features(model, batch, from, to);
          return f.get(0).mul(outer.gradients().get(0).slice(0, from, to)).sum().add(f.get(1).mul(outer.gradients().get(1).slice(0, from, to)).sum());
        }));
        part.gradients().forEach((name, g) -> sums.merge(name, scope.keep(g), (a, b) -> scope.keep(a.add(b))));
      }
    }
    var trained = parameters.trained().keySet();
    if (trained.contains("logit_scale")) sums.put("logit_scale", outer.gradients().get(2));
    if (trained.contains("logit_bias") && in.size() > 3 && outer.gradients().get(3) != null) sums.put("logit_bias", outer.gradients().get(3));
    return new Result(outer.values().getFirst().item(), all.averaged(sums));
  }

  /// The loss of one rank's undivided batch; its gradients go to `use` in groups of some 64 MB as backward finishes them, and never exist together.
  public static double of(ClipModel model, Parameters parameters, Batch batch, boolean sigmoid, Pass pass, Consumer<Map<String, Tensor>> use) {
    if (Group.current().size() > 1) throw new IllegalArgumentException("gradients of " + Group.current().size() + " ranks are averaged together, not in groups");
    var all = new Joined(Group.current(), batch);
    return pass(pass, batch, 0, batch.count()).call(() -> Grad.valueAndGrad(parameters, loss(all, model, batch, sigmoid), GROUP, use)).value().item();
  }

  private static Supplier<Tensor> loss(Joined all, ClipModel model, Batch batch, boolean sigmoid) {
    return () -> {
      var f = features(model, batch, 0, batch.count());
      return all.loss(f.get(0), f.get(1), model.scale(), model.logitBias(), sigmoid);
    };
  }

  private static Pass pass(Pass step, Batch b, int from, int to) { return step.samples(Arrays.copyOfRange(b.samples(), from, to)); }

  private static List<Tensor> features(ClipModel m, Batch b, int from, int to) {
    var texts = m.embedTexts(Arrays.copyOfRange(b.tokens(), from, to));          // first, so that backward frees the images' many rows first
    return List.of(m.embedImages(images(m, b, from, to)), texts);
  }

  private static ImageBatch images(ClipModel m, Batch b, int from, int to) {
    int each = b.pixels().length / b.count();
    return ImageBatch.of(from == 0 && to == b.count() ? b.pixels() : Arrays.copyOfRange(b.pixels(), from * each, to * each), to - from, m.visual().input());
  }
}
