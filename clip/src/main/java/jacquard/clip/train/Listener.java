package jacquard.clip.train;

import jacquard.clip.data.Stream;
import jacquard.clip.report.log.EventLog;
import jacquard.clip.report.log.MetricLog;
import jacquard.clip.report.log.Progress;
import jacquard.clip.train.task.Rows;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Group;
import jacquard.tensor.Pass;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.SequencedMap;
import java.util.function.Consumer;

/// Who is told after each step of a [Loop]. They are told in order: what one adds to the values of a step the next ones
/// see.
public sealed interface Listener {
  /// The end of a step.
  ///
  /// @param step     how many steps the run has made
  /// @param steps    how many it makes
  /// @param stopping whether the run ends here though it is not the last
  /// @param values   what the step says of itself, by metric
  /// @param waited   nanoseconds spent waiting for data
  /// @param computed nanoseconds spent computing
  record Moment(long step, long steps, boolean stopping, SequencedMap<String, Double> values, long waited,
      long computed) {
    public boolean last() { return step == steps; }
    /// Whether something is to happen that happens every so many steps, and at the end.
    public boolean due(long every) { return last() || step % every == 0; }
  }

  void after(Moment moment) throws IOException;

  /// Some work.
  interface Work { void run() throws IOException; }

  /// Does what takes this rank so long that the others should know.
  private static void alone(String what, Work work) throws IOException {
    var group = Group.current();
    group.away(what);
    try { work.run(); } finally { group.away(null); }
  }

  /// Anyone else.
  record Each(Consumer<Moment> to) implements Listener {
    @Override public void after(Moment m) { to.accept(m); }
  }

  /// Keeps running averages of the model.
  record Averaging(Averages averages) implements Listener {
    @Override public void after(Moment m) { averages.after(m.step()); }
  }

  /// A measure of a model.
  interface Evaluator {
    Outcome outcome() throws IOException;

    /// The same under what a task needs that is evaluated by one rank.
    default Evaluator of(Task task) {
      return () -> {
        try {
          return task.alone(Pass.current()).call(() -> {
            try { return outcome(); } catch (IOException e) { throw new UncheckedIOException(e); }
          });
        } catch (UncheckedIOException e) { throw e.getCause(); }
      };
    }
  }

  /// @param metrics by name
  /// @param text    the same for people
  record Outcome(SequencedMap<String, Double> metrics, String text) {}

  /// Adds the metrics of evaluators to the step's, as `evaluator/metric`.
  ///
  /// @param evaluators by name
  record Evaluating(SequencedMap<String, Evaluator> evaluators, long every, Consumer<String> say) implements Listener {
    @Override public void after(Moment m) throws IOException {
      if (!m.due(every)) return;
      alone("evaluating", () -> evaluate(m));
    }

    private void evaluate(Moment m) throws IOException {
      for (var e : evaluators.entrySet()) {
        var outcome = e.getValue().outcome();
        outcome.metrics().forEach((metric, v) -> m.values().put(e.getKey() + "/" + metric, v));
        say.accept("step %,d  %s: %s".formatted(m.step(), e.getKey().replace('_', ' '), outcome.text()));
      }
    }
  }

  /// Writes metrics as JSON lines.
  record Metrics(MetricLog log) implements Listener {
    @Override public void after(Moment m) { log.write(m.step(), m.values()); }
  }

  /// Writes metrics as events of TensorBoard.
  record Events(EventLog log) implements Listener {
    @Override public void after(Moment m) { log.scalars(m.step(), m.values()); }
  }

  /// The line of progress.
  record Line(Progress progress, Stream stream) implements Listener {
    @Override public void after(Moment m) {
      m.values().forEach((name, v) -> { if (name.equals("loss") || name.equals("lr")) progress.show(name, v); });
      progress.spent(m.waited(), m.computed()).advance(stream.size(m.step() - 1));
    }
  }

  /// Publishes the model where a metric is higher than ever.
  final class Best implements Listener {
    private final RunFolder folder;
    private final Task task;
    private final String metric;
    private double best;

    /// @param best the highest so far
    public Best(RunFolder folder, Task task, String metric, double best) {
      this.folder = folder;
      this.task = task;
      this.metric = metric;
      this.best = best;
    }

    @Override public void after(Moment m) throws IOException {
      if (!m.values().containsKey(metric)) return;
      double now = m.values().get(metric);
      if (now <= best) return;
      best = now;
      task.publish(folder.publish("best", task.published(task.stored())));
    }
  }

  /// The model for everybody, then in one file all that going on needs: each by rename, so that a kill leaves the
  /// previous ones; and in this order, so
  /// that what a resumed run does not make again is there.
  ///
  /// @param parts whether that file is left to [Sharing]
  record Saving(RunFolder folder, Task task, State state, long every, boolean parts, Consumer<String> say)
      implements Listener {
    /// The state's section that is published.
    static final String MODEL = "model", AVERAGES = "averages";

    @Override public void after(Moment m) throws IOException {
      if (!m.stopping() && !m.due(every)) return;
      alone("saving", () -> save(m));
    }

    private void save(Moment m) throws IOException {
      var stored = state.stored();
      task.publish(folder.publish("last", task.published(stored.get(MODEL))));
      if (stored.containsKey(AVERAGES)) folder.publish(AVERAGES, stored.get(AVERAGES));
      if (!parts) folder.save(state, m.step(), stored);
      if (m.stopping() && !m.last())
        say.accept("stopped after step %,d of %,d; --resume goes on from there".formatted(m.step(), m.steps()));
    }
  }

  /// All that going on needs, of which each rank writes a part.
  record Sharing(RunFolder folder, State state, long every, Rows rows) implements Listener {
    @Override public void after(Moment m) throws IOException {
      if (m.stopping() || m.due(every)) alone("saving its part", () -> folder.save(state, m.step(), rows));
    }
  }

  /// The highest value of a metric in a log up to a step; negative where there is none.
  static double highest(Iterable<MetricLog.Entry> log, String metric, long step) {
    double best = -1;
    for (var e : log) if (e.step() <= step && e.values().containsKey(metric)) best = Math.max(best, e.number(metric));
    return best;
  }
}
