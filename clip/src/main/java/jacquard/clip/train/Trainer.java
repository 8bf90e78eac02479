package jacquard.clip.train;

import jacquard.autograd.Optimizer;
import jacquard.clip.data.Stream;
import jacquard.clip.data.source.Source;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipModel;
import jacquard.clip.report.log.Progress;
import jacquard.clip.text.Tokenizer;
import jacquard.clip.train.health.Care;
import jacquard.clip.train.health.EmbeddingStatistics;
import jacquard.clip.train.health.LivePage;
import jacquard.clip.train.health.Recovery;
import jacquard.clip.train.health.WildSteps;
import jacquard.clip.train.ranks.Memory;
import jacquard.clip.train.ranks.Moments;
import jacquard.clip.train.ranks.Offload;
import jacquard.clip.train.ranks.Sharding;
import jacquard.clip.train.task.Rows;
import jacquard.clip.train.task.Section;
import jacquard.clip.train.task.Sharded;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Group;
import jacquard.tensor.Precision;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Function;

/// Puts a run together: on each rank a task, its optimizer and a [Loop]; on rank 0 also the run's state, who listens,
/// and what they write into the folder.
public final class Trainer {
  private static final String HELD_OUT = "held_out", BEST = HELD_OUT + "/top1";

  /// @param steps    in all
  /// @param evaluate steps between evaluations
  /// @param save     steps between checkpoints
  /// @param average  how much of the running averages of the weights stays at a step (see [Averages]); 0 for none
  public record Cadence(long steps, long evaluate, long save, double average) {}

  /// Further evaluators of the model that is trained, by name.
  ///
  /// @param every steps between them
  public record Also(Function<ClipModel, SequencedMap<String, Listener.Evaluator>> evaluators, long every) {}

  private final Task.Recipe recipe;
  private final Stream stream;
  private final Optimization how;
  private final Cadence cadence;
  private final Compute compute;
  private final long seed;
  private final Transform transform;
  private final Tokenizer tokenizer;
  private final Source held;
  private Also also = new Also(_ -> new LinkedHashMap<>(), 1);
  private boolean live;
  private volatile boolean stopping;
  private volatile long steps;

  /// @param transform how pictures are prepared in evaluation, and by whoever uses the model
  /// @param tokenizer of the captions in evaluation
  /// @param held      what the model is evaluated on; null for nothing
  public Trainer(Task.Recipe recipe, Stream stream, Optimization how, Cadence cadence, Compute compute, long seed,
      Transform transform, Tokenizer tokenizer, Source held) {
    this.recipe = recipe;
    this.stream = stream;
    this.how = how;
    this.cadence = cadence;
    this.compute = compute;
    this.seed = seed;
    this.transform = transform;
    this.tokenizer = tokenizer;
    this.held = held;
  }

  /// Evaluates by others too.
  public Trainer also(Also more) {
    also = more;
    return this;
  }

  /// Writes a page beside the run's files that shows how it goes.
  public Trainer live(boolean page) {
    live = page;
    return this;
  }

  /// Ends the run after the step in progress, with a checkpoint of it: [#run] then returns as if it were the last. Any
  /// thread may call this.
  public void stop() { stopping = true; }

  /// How many steps the run has made, those before a resumption too.
  public long steps() { return steps; }

  /// Runs to the end, from the folder's last checkpoint on, if it has one. Returns the last evaluation (null without
  /// one). Rank 0 alone evaluates, writes and shows progress; all have the same weights.
  ///
  /// @throws IOException if the folder cannot be written, or holds a run of another kind
  public Evaluation run(RunFolder folder) throws IOException {
    return Group.run(compute.devices(), group -> run(folder, group)).getFirst();
  }

  private Evaluation run(RunFolder folder, Group group) throws IOException {
    try (var host = compute.offload() ? Offload.host(Scope.current().device(), group) : null) {
      return run(folder, group, host);
    }
  }

  /// @param host for the optimizer; null where it lies with the parameters
  private Evaluation run(RunFolder folder, Group group, Scope host) throws IOException {
    boolean saved = folder.saved(), leads = group.rank() == 0;
    var sharding = group.size() > 1 ? compute.sharding() : Sharding.NONE;
    if (sharding != Sharding.NONE && !Sharding.cuts(how.rule()))
      throw new IllegalArgumentException("--zero and --fsdp need an optimizer that moves each number by itself: adamw, "
          + "nadamw or sgd, not " + how.name());
    var rows = new Rows(group);
    var task = (sharding == Sharding.ALL ? new Sharded.Recipe(recipe, rows) : recipe).make(saved);
    var moments = sharding.moments() ? Moments.of(task, rows, sharding == Sharding.GRADIENTS) : null;
    var parameters = moments == null ? task.parameters() : moments.parameters();
    var offload = host == null ? null : new Offload(parameters, host);
    var optimizer = offload == null ? how.over(task, parameters) : offload.optimizer(p -> how.over(task, p));
    var averages = (leads || !task.cut().isEmpty()) && cadence.average > 0
        ? new Averages(task, cadence.average, Averages.COPIED) : null;
    var care = new Care(how.watch().wild() > 0 ? new WildSteps(how.watch().wild()) : null, compute.scale(),
        how.watch().recovers() ? new Recovery() : null);
    var state = state(task, section(task, optimizer, moments, rows), averages);
    if (care.guard() != null) state.section("guard", care.guard());
    if (care.scale() != null) state.section("loss_scale", care.scale());
    if (care.recovery() != null) state.section("recovery", care.recovery());
    var unlike = new ArrayList<String>();
    long first = saved ? state.restore(folder.state(), unlike) : 0;
    optimizer.restore(first - care.uncounted());
    Recovery.Back back = () -> {
      if (!Files.exists(folder.state())) return -1;
      long made = state.restore(folder.state(), new ArrayList<>());
      optimizer.restore(made - care.uncounted());
      return made;
    };
    if (care.recovery() != null) care.recovery().by(back, _ -> {});
    var own = offload == null ? Loop.Move.by(optimizer) : offload.around(optimizer);
    var move = moments == null ? own : moments.around(own);
    var loop = new Loop(task, stream, move, how, compute, cadence.steps, seed, care);
    var listeners = new ArrayList<Listener>();
    if (averages != null) listeners.add(new Listener.Averaging(averages));
    boolean parts = compute.parts() && sharding == Sharding.ALL;
    if (!leads) {
      if (sharding != Sharding.NONE) listeners.add(new Listener.Each(_ -> rows.give()));
      if (parts) listeners.add(new Listener.Sharing(folder, state, cadence.save, care, rows));
      steps = loop.run(first, () -> stopping, listeners);
      Memory.told(group, Scope.current().device());
      return null;
    }
    steps = first;
    folder.describe(task.model().config(), transform.config());
    var heldOut = held == null ? null : new HeldOut(held, transform, tokenizer, task.model());
    double best = Listener.highest(folder.logged(), BEST, first);
    try (var metrics = folder.metrics(first); var events = folder.events(first);
         var progress = Progress.of("train", stream.before(cadence.steps)).unit("samples").from(stream.before(first))
             .open()) {
      unlike.forEach(progress::say);
      if (care.recovery() != null) care.recovery().by(back, progress::say);
      if (held != null) {
        var evaluators = new LinkedHashMap<String, Listener.Evaluator>();
        evaluators.put(HELD_OUT, heldOut.of(task));
        if (how.watch().statistics()) evaluators.put("embeddings", new EmbeddingStatistics(heldOut::last));
        if (averages != null)
          evaluators.put("averages", new HeldOut(held, transform, tokenizer, averages.averaged().model())
              .of(averages.averaged()));
        listeners.add(new Listener.Evaluating(evaluators, cadence.evaluate, progress::say));
      }
      var others = also.evaluators.apply(task.model());
      others.replaceAll((_, e) -> e.of(task));
      if (!others.isEmpty()) listeners.add(new Listener.Evaluating(others, also.every, progress::say));
      listeners.add(new Listener.Metrics(metrics));
      listeners.add(new Listener.Events(events));
      if (live) listeners.add(new Listener.Each(new LivePage(folder.path(), Duration.ofSeconds(10))::after));
      listeners.add(new Listener.Each(m -> steps = m.step()));
      listeners.add(new Listener.Line(progress, stream));
      listeners.add(new Listener.Best(folder, task, BEST, best));
      listeners.add(new Listener.Saving(folder, task, state, cadence.save, care, parts, progress::say));
      if (sharding != Sharding.NONE) listeners.add(new Listener.Each(_ -> rows.done()));
      if (parts) listeners.add(new Listener.Sharing(folder, state, cadence.save, care, rows));
      loop.run(first, () -> stopping, listeners);
      Memory.told(group, Scope.current().device()).ifPresent(progress::say);
      stream.notes().forEach(progress::say);
    }
    return heldOut == null ? null : heldOut.last();
  }

  /// The moments by the names that any number of ranks can read.
  private static Section section(Task task, Optimizer optimizer, Moments moments, Rows rows) {
    Function<String, Shape> shapes = moments != null ? moments.shapes()
        : task instanceof Sharded s ? s.shapes()::get : _ -> null;
    return rows.section(optimizer.state(), name -> shapes.apply(name.substring(0, name.lastIndexOf('.'))));
  }

  private State state(Task task, Section optimizer, Averages averages) {
    var state = new State()
        .same("seed", seed, (then, now) -> "--seed " + then + ", not " + now)
        .same("task", task.name(), (then, now) -> "the loss " + then + ", not " + now)
        .same("optimizer", how.name(), (then, now) -> "the optimizer " + then + ", not " + now)
        .same("trained", Integer.toHexString(List.copyOf(task.parameters().trained().keySet()).hashCode()),
            (_, _) -> "other parameters trained: a different model, or different --lock-… options")
        .same("batch", stream.size(), (then, now) -> then + " pairs a step on all ranks, not " + now
            + ": its place in the data would be lost")
        .same("precision", compute.precision().name(), (then, now) -> "--precision " + flag(then) + ", not "
            + flag(now))
        .said("data", stream.fingerprint(), (then, _) -> stream.fingerprint().unlike(then, stream.name()))
        .noted(compute.libraries(), compute::unlike);
    stream.order().forEach((name, value) -> state.same("data." + name, value, (then, now) -> "the " + name
        + " of data " + then + ", not " + now));
    state.section(Listener.Saving.MODEL, task).section("optimizer", optimizer);
    if (averages != null) state.section(Listener.Saving.AVERAGES, averages);
    return state;
  }

  private static String flag(String precision) {
    return precision.isEmpty() ? "unknown" : Precision.valueOf(precision).flag();
  }
}
