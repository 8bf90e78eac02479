package jacquard.clip.train;

import jacquard.autograd.Grad;
import jacquard.clip.data.Batch;
import jacquard.clip.train.task.Joined;
import jacquard.clip.train.task.Rows;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Group;
import jacquard.tensor.Interpreter;
import jacquard.tensor.Pass;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Collective;
import jacquard.tensor.op.Update;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// The loss of a step and its gradients, of any [Task]: whole, by cached features, or streamed.
///
/// The samples of all ranks of the current group are one batch. Every rank computes its own rows of the loss against
/// the features of all, and its backward hands each rank what all ranks have for its rows. The sum over ranks of a
/// parameter's gradients is then that of the joined batch, heads included.
public final class Gradients {
  /// @param losses    the loss under `loss`, then its terms where there are several
  /// @param gradients by parameter path, the same on all ranks; empty where they were streamed
  public record Result(SequencedMap<String, Double> losses, SequencedMap<String, Tensor> gradients) {
    public double loss() { return losses.get("loss"); }
  }

  /// Elements of gradients that are used together: few launches on a GPU, little memory.
  static final long GROUP = 1 << 24;
  /// The same where each rank keeps its rows alone.
  private static final long FEW = 1 << 21;

  private static final Interpreter WITHOUT_UPDATES = (op, in) ->
      op instanceof Update ? List.of() : Interpreter.PLAIN.apply(op, in);

  private final Task task;
  private final Batch batch;
  private final Pass pass;
  private final Rows kept;
  private final float scale;
  private final Group group = Group.current();
  private final int[] rows, groups;
  private final SequencedMap<String, Double> terms = new LinkedHashMap<>();

  private Gradients(Task task, Batch batch, Pass pass, Rows kept, float scale) {
    this.task = task;
    this.batch = batch;
    this.pass = pass;
    this.kept = kept;
    this.scale = scale;
    this.rows = group.allGather("the number of samples", batch.count());
    this.groups = numbered(group.allGather("captions", halves(batch.groups())));
  }

  private static int[] halves(long[] hashes) {
    int[] r = new int[2 * hashes.length];
    for (int i = 0; i < r.length; i++) r[i] = (int) (hashes[i / 2] >>> (i % 2 == 0 ? 32 : 0));
    return r;
  }

  /// Hashes as pairs of their halves → numbers from 0, equal where hashes are.
  private static int[] numbered(int[] halves) {
    var known = new HashMap<Long, Integer>();
    int[] r = new int[halves.length / 2];
    for (int i = 0; i < r.length; i++)
      r[i] = known.computeIfAbsent((long) halves[2 * i] << 32 | halves[2 * i + 1] & 0xffffffffL, _ -> known.size());
    return r;
  }

  /// The step of all ranks together, each with its own samples: that of one rank with the joined batch.
  ///
  /// @param parts micro-batches. With more than one the features of all are computed first, the loss and its gradient
  ///   with respect to them next, and each part's towers run again to carry that back: exactly the gradient of the
  ///   joined batch (Gao et al. 2021, GradCache), but for batch norm, whose statistics are each part's own.
  public static Result of(Task task, Batch batch, int parts, Pass pass) { return of(task, batch, parts, pass, null); }

  /// The same.
  ///
  /// @param kept what each rank keeps of the gradients, the others' rows leave as backward finishes them; null: all
  public static Result of(Task task, Batch batch, int parts, Pass pass, Rows kept) {
    return of(task, batch, parts, pass, kept, 1);
  }

  /// The same, with gradients so many times as large.
  ///
  /// @param scale a power of two, which keeps gradients of 16 bits from vanishing
  static Result of(Task task, Batch batch, int parts, Pass pass, Rows kept, float scale) {
    var g = new Gradients(task, batch, pass, kept, scale);
    int fewest = Arrays.stream(g.rows).min().orElse(0);
    if (fewest == 0)
      throw new IllegalStateException("a rank has no readable sample: the ranks have " + Arrays.toString(g.rows));
    return Math.min(parts, fewest) == 1 ? g.whole() : g.cached(Math.min(parts, fewest));
  }

  /// The step of one rank's undivided batch; its gradients go to `use` in groups of some 64 MB as backward finishes
  /// them, and never exist together.
  public static Result streamed(Task task, Batch batch, Pass pass, Consumer<Map<String, Tensor>> use) {
    var g = new Gradients(task, batch, pass, null, 1);
    if (g.group.size() > 1)
      throw new IllegalArgumentException("gradients of " + g.group.size()
          + " ranks are added up together, not in groups");
    var targets = g.targets(batch);
    double loss = g.under(batch, () -> Grad.valueAndGrad(task.parameters(), g.loss(targets), GROUP, use)).value()
        .item();
    return g.result(loss, new LinkedHashMap<>());
  }

  private Result whole() {
    var targets = targets(batch);
    var step = under(batch, () -> valueAndGrad(scaled(loss(targets))));
    return result(ofAll("the loss", step.value()) / scale, summed(step.gradients()));
  }

  private Supplier<Tensor> loss(List<Tensor> targets) {
    return () -> {
      var of = total(task.features(batch), targets);
      if (task.penalty() == null) return of;
      var penalty = penalty();
      said("penalty", penalty);
      return of.add(penalty);
    };
  }

  private Supplier<Tensor> scaled(Supplier<Tensor> loss) { return scale == 1 ? loss : () -> loss.get().mul(scale); }

  private Result cached(int parts) {
    var cuts = new ArrayList<Batch>();
    for (int p = 0; p < parts; p++) cuts.add(batch.part(batch.count() * p / parts, batch.count() * (p + 1) / parts));
    var features = joined(cuts.stream().map(part ->
        Scope.results(() -> ScopedValue.where(Interpreter.CURRENT, WITHOUT_UPDATES)
            .call(() -> under(part, () -> task.features(part))))).toList());
    var targets = joined(cuts.stream().map(this::targets).toList());
    var heads = task.heads();
    var in = new ArrayList<>(features);
    in.addAll(heads.values());
    var outer = Grad.vjp(in, v -> List.of(total(v.subList(0, features.size()), targets)), _ ->
        List.of(Tensor.scalar(scale)));
    var sums = new LinkedHashMap<String, Tensor>();
    for (int p = 0, from = 0; p < parts; from += cuts.get(p++).count()) {
      int first = from;
      var cut = cuts.get(p);
      try (var scope = Scope.open()) {
        var part = under(cut, () -> valueAndGrad(() -> {
          var f = task.features(cut);
          Tensor sum = null;
          for (int i = 0; i < f.size(); i++) {
            if (outer.gradients().get(i) == null) continue;
            var s = f.get(i).mul(outer.gradients().get(i).slice(0, first, first + cut.count())).sum();
            sum = sum == null ? s : sum.add(s);
          }
          return sum;
        }));
        part.gradients().forEach((name, g) -> sums.merge(name, scope.keep(g), (a, b) -> scope.keep(a.add(b))));
      }
    }
    var trained = task.parameters().trained().keySet();
    int at = features.size();
    for (var name : heads.keySet()) {
      var g = outer.gradients().get(at++);
      if (g != null && trained.contains(name)) sums.put(name, g);
    }
    double loss = ofAll("the loss", outer.values().getFirst());
    if (task.penalty() != null) {
      var penalty = valueAndGrad(scaled(this::penalty));
      loss += said("penalty", penalty.value()) / scale;
      penalty.gradients().forEach((name, g) -> sums.merge(name, g, Tensor::add));
    }
    return result(loss, summed(sums));
  }

  private Grad.Step valueAndGrad(Supplier<Tensor> f) {
    if (kept == null) return Grad.valueAndGrad(task.parameters(), f);
    var scope = Scope.current();
    var rows = new HashMap<String, Tensor>();
    var step = Grad.valueAndGrad(task.parameters(), f, FEW, some -> some.forEach((name, g) ->
        rows.put(name, scope.adopt(kept.cut(g.type()) ? kept.summed(g) : g.share()))));
    task.parameters().trained().keySet().forEach(name -> {
      if (rows.containsKey(name)) step.gradients().put(name, rows.get(name));
    });
    return step;
  }

  /// Whether a gradient is already this rank's rows of the sum over ranks.
  private boolean cut(String name) {
    return task.cut().contains(name) || kept != null && kept.cut(task.parameters().all().get(name).type());
  }

  /// This rank's part of the loss.
  private Tensor total(List<Tensor> features, List<Tensor> targets) {
    var losses = task.losses(shared(features), shared(targets), groups);
    if (losses.size() == 1) return losses.firstEntry().getValue();
    Tensor sum = null;
    for (var e : losses.entrySet()) {
      said(e.getKey(), e.getValue());
      sum = sum == null ? e.getValue() : sum.add(e.getValue());
    }
    return sum;
  }

  /// This rank's part of what depends on the parameters alone.
  private Tensor penalty() {
    var p = task.penalty();
    return group.size() == 1 ? p : p.mul(1f / group.size());
  }

  private double said(String term, Tensor part) {
    double sum = ofAll(term, part);
    terms.put(term, sum);
    return sum;
  }

  private double ofAll(String what, Tensor part) { return group.sum(what, part.item())[0]; }

  private Joined shared(List<Tensor> own) {
    if (group.size() == 1) return Joined.alone(own);
    var gather = new Collective.AllGather(group, rows);
    return new Joined(own, own.stream().map(x -> Tensor.apply(gather, x)).toList(),
        Arrays.stream(rows, 0, group.rank()).sum());
  }

  private List<Tensor> targets(Batch part) { return Scope.results(() -> under(part, () -> task.targets(part))); }

  private <T> T under(Batch part, Supplier<T> f) { return pass.samples(part.samples()).call(f); }

  /// Parts' lists of tensors → one list of the joined tensors.
  private static List<Tensor> joined(List<List<Tensor>> parts) {
    var r = new ArrayList<Tensor>();
    for (int i = 0; i < parts.getFirst().size(); i++) {
      int k = i;
      r.add(Tensor.concat(0, parts.stream().map(p -> p.get(k)).toList()));
    }
    return r;
  }

  private Result result(double loss, SequencedMap<String, Tensor> gradients) {
    var losses = new LinkedHashMap<String, Double>();
    losses.put("loss", loss);
    losses.putAll(terms);
    return new Result(losses, gradients);
  }

  private SequencedMap<String, Tensor> summed(SequencedMap<String, Tensor> gradients) {
    if (group.size() == 1) return gradients;
    var r = new LinkedHashMap<>(gradients);
    var some = new ArrayList<String>();
    long elements = 0;
    for (var name : gradients.keySet()) {
      if (cut(name)) continue;
      some.add(name);
      elements += gradients.get(name).shape().size();
      if (elements < GROUP) continue;
      sum(some, r);
      some.clear();
      elements = 0;
    }
    if (!some.isEmpty()) sum(some, r);
    return r;
  }

  /// Puts the sums over ranks in the place of some gradients, which end.
  private void sum(List<String> names, Map<String, Tensor> gradients) {
    var own = names.stream().map(gradients::get).toList();
    var sums = Tensor.applyAll(new Collective.AllReduce(group, 1, own.size()), own);
    for (int i = 0; i < own.size(); i++) {
      gradients.put(names.get(i), sums.get(i));
      own.get(i).end();
    }
  }
}
