package jacquard.clip.train;

import jacquard.autograd.Clipping;
import jacquard.autograd.Optimizer;
import jacquard.clip.data.Batch;
import jacquard.clip.data.Stream;
import jacquard.clip.train.health.Care;
import jacquard.clip.train.health.WildSteps;
import jacquard.clip.train.parameter.Counted;
import jacquard.clip.train.task.Rows;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Group;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// The steps of one rank: it reads ahead, updates, and tells its listeners. What is trained only the task knows.
/// Everything that a step depends on follows from the seed and the step's number.
///
/// @param move      of the task's parameters
/// @param steps     in all
/// @param care      of its steps
public record Loop(Task task, Stream stream, Move move, Optimization how, Compute compute, long steps,
    long seed, Care care) {
  /// An optimizer's steps.
  public interface Move {
    /// A step: what is returned takes gradients by path, a part of them at a time.
    Consumer<Map<String, Tensor>> of(double rate, float factor);

    /// Counts a step that is not made; there are so many then.
    void skip(long steps);

    /// The rows of the gradients that it takes of the sums over ranks; null where it takes all.
    default Rows kept() { return null; }

    static Move by(Optimizer optimizer) {
      return new Move() {
        @Override public Consumer<Map<String, Tensor>> of(double rate, float factor) {
          return optimizer.step(rate, factor);
        }
        @Override public void skip(long steps) { optimizer.restore(steps); }
      };
    }
  }

  /// Steps in a row of which nothing can be read that end a run: its data have gone.
  private static final int EMPTY = 10;
  private static final String HELP = "; lower --lr or clip with --grad-clip-norm";

  /// Makes the steps from `first` on, until the last or until `stop` holds on some rank.
  ///
  /// @param listeners told after each step, in their order
  /// @return how many steps are made, those before `first` among them
  public long run(long first, BooleanSupplier stop, List<Listener> listeners) throws IOException {
    var group = Group.current();
    var counted = Counted.of(task.model());
    var next = first < steps ? read(first, group) : null;
    int empty = 0;
    for (long s = first; s < steps; s++) {
      long t0 = System.nanoTime();
      var batch = next.join();
      next = s + 1 < steps ? read(s + 1, group) : null;
      long t1 = System.nanoTime();
      var values = new LinkedHashMap<String, Double>();
      int count = (int) group.sum("readable samples", batch.count())[0];
      empty = count > 0 ? 0 : empty + 1;
      if (count > 0) values.putAll(update(batch, s, counted));
      else if (s == first)
        throw new IOException("none of the " + stream.size(s) + " samples of step " + s + " could be read: "
            + stream.firstFailure());
      else if (empty == EMPTY)
        throw new IOException("none of the samples of the steps " + (s + 1 - EMPTY) + " to " + s
            + " could be read; the first that could not: " + stream.firstFailure()
            + ". Bring the data back and go on with --resume");
      if (count < stream.size(s)) values.put("unreadable", (double) stream.size(s) - count);
      long t2 = System.nanoTime();
      // the ranks may have learnt of it before and after
      boolean stopping = group.sum("whether to stop", stop.getAsBoolean() ? 1 : 0)[0] > 0;
      var moment = new Listener.Moment(s + 1, steps, stopping, values, t1 - t0, t2 - t1);
      if (values.containsKey("loss")) care.sees(values.get("loss"));
      for (var l : listeners) l.after(moment);
      if (stopping) return s + 1;
      care.after(s + 1);
    }
    return Math.max(first, steps);
  }

  private CompletableFuture<Batch> read(long step, Group group) {
    return CompletableFuture.supplyAsync(() -> stream.at(step, group.rank(), group.size(), how.parts()));
  }

  /// The update: gradients of the batch, their norm, the optimizer's move, what the task does after it. Returns what it
  /// says of itself, by metric.
  private SequencedMap<String, Double> update(Batch batch, long s, Counted counted) {
    double rate = care.factor(s) * how.schedule().rate(s), weight = stream.weight(s), norm;
    var pass = task.under(compute.pass(Random.of(seed).fold("pass").fold(s)));
    var norms = Norms.due(s, task, how.watch().layers(), move.kept());
    float by = care.scaled();
    boolean made = true;
    SequencedMap<String, Double> losses;
    try (var _ = Scope.open()) {
      if (!care.judges() && how.limit() <= 0 && how.parts() == 1 && Group.current().size() == 1) {
        // Nothing waits for all gradients: they are used and freed as backward finishes them.
        double[] squares = {0};
        var move = measured(norms, this.move.of(rate, (float) weight));
        losses = how.watch().during(s, () -> Gradients.streamed(task, batch, pass, group -> {
          double n = Clipping.norm(group.values());
          if (!Double.isFinite(n))
            throw new IllegalArgumentException("step " + s + ": gradient norm " + n + " of "
                + group.keySet().stream().limit(3).collect(Collectors.joining(", "))
                + (group.size() > 3 ? " and %,d more".formatted(group.size() - 3) : "") + HELP);
          squares[0] += n * n;
          move.accept(group);
        })).losses();
        check(s, losses.get("loss"), norm = weight * Math.sqrt(squares[0]));
      } else {
        var before = care.judges() ? counted.statistics() : null;
        var step = how.watch().during(s, () -> Gradients.of(task, batch, how.parts(), pass, move.kept(), by));
        losses = step.losses();
        norm = weight * norm(step.gradients()) / by;
        if (!care.judges()) check(s, step.loss(), norm);
        boolean fits = care.scale() == null || care.scale().takes(s, step.loss(), norm);
        if (fits && (care.guard() == null || care.guard().takes(s, step.loss(), norm)))
          measured(norms, move.of(rate, (float) weight * Clipping.factor(norm, how.limit()) / by))
              .accept(step.gradients());
        else {
          made = false;
          norms = null;
          counted.restore(before);
          // of a wild step the optimizer knows; one that the scale leaves out it never sees
          if (fits) move.skip(s + 1 - care.uncounted());
        }
      }
      if (made) counted.add(how.parts());
      task.after();
    }
    var values = new LinkedHashMap<>(losses);
    values.put("lr", rate);
    values.put("gradient_norm", norm);
    if (norms != null) {
      values.put("parameter_norm", norms.parameters());
      values.put("update_norm", norms.change());
      double of = weight / by;
      norms.layers().forEach((layer, n) -> values.put("gradient_norm/" + layer, of * n));
    }
    if (care.judges()) values.put("skipped_steps", (double) care.skipped());
    if (care.scale() != null) values.put("loss_scale", (double) care.scale().scale());
    values.putAll(task.report());
    return values;
  }

  private static Consumer<Map<String, Tensor>> measured(Norms norms, Consumer<Map<String, Tensor>> move) {
    return norms == null ? move : norms.around(move);
  }

  /// Of the gradients of all ranks.
  private double norm(Map<String, Tensor> gradients) {
    var kept = move.kept();
    if (task.cut().isEmpty() && kept == null) return Clipping.norm(gradients.values());
    var cut = new LinkedHashMap<>(gradients);
    cut.keySet().removeIf(path -> !task.cut().contains(path)
        && (kept == null || !kept.cut(task.parameters().all().get(path).type())));
    var whole = new LinkedHashMap<>(gradients);
    whole.keySet().removeAll(cut.keySet());
    double own = Clipping.norm(cut.values()), shared = Clipping.norm(whole.values());
    return Math.sqrt(Group.current().sum("squares of gradients", own * own)[0] + shared * shared);
  }

  private static void check(long s, double loss, double norm) {
    if (!Double.isFinite(loss) || !Double.isFinite(norm))
      throw new IllegalArgumentException("step " + s + ": loss " + loss + ", gradient norm " + norm + HELP);
  }
}
