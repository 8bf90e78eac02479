package jacquard.autograd;

import jacquard.tensor.Interpreter;
import jacquard.tensor.Pass;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Update;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// What was applied, in order, and of each application exactly what its gradient row reads. Lives for one lambda of [Grad].
/// Backward frees what it has consumed.
final class Tape implements Interpreter, AutoCloseable {
  /// @param in,out the tensors as keys; `saved…` the elements that the row reads, null elsewhere
  private record Entry(Rule rule, Tensor[] in, Tensor[] out, Tensor[] savedIn, Tensor[] savedOut, int[] versions, Pass pass) {}
  private record Queued(Update op, List<Tensor> in) {}

  private final Interpreter below;
  private final boolean updates;
  private final Thread thread = Thread.currentThread();
  private final Map<Tensor, Boolean> active = new IdentityHashMap<>();
  private final Map<Tensor, Boolean> touched = new IdentityHashMap<>();
  private final List<Entry> entries = new ArrayList<>();
  private final List<Queued> queue = new ArrayList<>();

  /// @param updates whether update ops are queued, or dropped because this is a recomputation
  Tape(Iterable<Tensor> sources, Interpreter below, boolean updates) {
    this.below = below;
    this.updates = updates;
    for (var t : sources) active.put(t, true);
  }

  <T> T record(java.util.function.Supplier<T> f) { return ScopedValue.where(CURRENT, this).call(f::get); }

  @Override public List<Tensor> apply(Op op, List<Tensor> in) {
    if (Thread.currentThread() != thread) throw new IllegalStateException(op + ": a recording belongs to the thread " + thread.getName() + ", not " + Thread.currentThread().getName());
    if (op instanceof Update u) {
      if (updates) queue.add(new Queued(u, in.stream().map(Tensor::share).toList()));
      return List.of();
    }
    boolean any = false;
    for (var t : in) if (active.containsKey(t)) { any = true; touched.put(t, true); }
    if (!any) return below.apply(op, in);
    var recorded = op.recorded();
    var out = below.apply(recorded, in);
    note(Vjp.of(recorded, in.size()), in, out);
    return out.size() == op.outputs() ? out : out.subList(0, op.outputs());
  }

  private void note(Rule rule, List<Tensor> in, List<Tensor> out) {
    Tensor[] savedIn = new Tensor[in.size()], savedOut = new Tensor[out.size()];
    for (int i : rule.inputs()) savedIn[i] = in.get(i).share();
    for (int i : rule.outputs()) savedOut[i] = out.get(i).share();
    int[] versions = new int[in.size()];
    for (int i : rule.inputs()) versions[i] = savedIn[i].storage().version();
    entries.add(new Entry(rule, in.toArray(Tensor[]::new), out.toArray(Tensor[]::new), savedIn, savedOut, versions, Pass.current()));
    for (var t : out) active.put(t, true);
  }

  boolean reached(Tensor t) { return touched.containsKey(t); }

  /// Runs `f` unrecorded and remembers only `inputs`; backward runs it again.
  List<Tensor> checkpoint(List<Tensor> inputs, Function<List<Tensor>, List<Tensor>> f) {
    Interpreter through = (op, in) -> {
      if (op instanceof Update) return apply(op, in);
      for (var t : in) if (active.containsKey(t)) touched.put(t, true);
      return below.apply(op, in);
    };
    var out = Scope.results(() -> ScopedValue.where(CURRENT, through).call(() -> f.apply(inputs)));
    int[] all = java.util.stream.IntStream.range(0, inputs.size()).toArray();
    note(new Rule(all, Rule.NONE, a -> {
      var sources = new ArrayList<>(Arrays.asList(a.in()));
      sources.addAll(outer());
      try (var inner = new Tape(sources, below, false)) {
        var y = inner.record(() -> f.apply(Arrays.asList(a.in())));
        var d = inner.backward(y, Arrays.asList(a.cotangents()), sources);
        for (int i = a.inputs(); i < sources.size(); i++) if (d.get(i) != null) accumulate(sources.get(i), d.get(i));
        return d.subList(0, a.inputs());
      }
    }), inputs, out);
    return out;
  }

  /// Active tensors that are still alive: what a recomputed function may have closed over.
  private List<Tensor> outer() { return active.keySet().stream().filter(Tensor::live).toList(); }

  private Map<Tensor, Tensor> cotangents;

  /// The cotangents of `wanted` (null where none arrived), given those of `of`; they belong to the current scope.
  List<Tensor> backward(List<Tensor> of, List<Tensor> given, List<Tensor> wanted) {
    cotangents = new IdentityHashMap<>();
    for (int i = 0; i < of.size(); i++) if (given.get(i) != null) accumulate(of.get(i), given.get(i));
    for (int e = entries.size() - 1; e >= 0; e--) {
      var entry = entries.remove(e);
      var d = new Tensor[entry.out.length];
      boolean any = false;
      for (int i = 0; i < d.length; i++) any |= (d[i] = cotangents.remove(entry.out[i])) != null;
      if (any) step(entry, d);
      for (var t : d) if (t != null) t.end();
      end(entry);
    }
    var scope = Scope.current();
    var result = new ArrayList<Tensor>();
    for (var w : wanted) {
      var d = cotangents.remove(w);
      result.add(d == null ? null : scope.adopt(d));
    }
    cotangents.values().forEach(Tensor::end);
    return result;
  }

  private void step(Entry entry, Tensor[] d) {
    int n = entry.in.length;
    var in = new Tensor[n];
    var out = new Tensor[entry.out.length];
    boolean[] wanted = new boolean[n];
    for (int i = 0; i < n; i++) {
      wanted[i] = active.containsKey(entry.in[i]);
      in[i] = entry.savedIn[i] != null ? entry.savedIn[i] : Tensor.described(entry.in[i].type());
      if (entry.savedIn[i] != null && in[i].storage().version() != entry.versions[i])
        throw new IllegalStateException("tensor " + in[i].type() + " was changed in place after the forward saved it");
    }
    for (int i = 0; i < out.length; i++) out[i] = entry.savedOut[i] != null ? entry.savedOut[i] : Tensor.described(entry.out[i].type());
    try (var _ = Scope.open()) {
      var dx = ScopedValue.where(CURRENT, below).where(Pass.CURRENT, entry.pass)
          .call(() -> entry.rule.backward().of(new Rule.Application(in, out, d, wanted)));
      for (int i = 0; i < n; i++) if (wanted[i] && dx.get(i) != null) accumulate(entry.in[i], dx.get(i));
    }
  }

  /// Adds a cotangent to a tensor's sum, broadcasting undone.
  private void accumulate(Tensor of, Tensor d) {
    ScopedValue.where(CURRENT, below).run(() -> {
      try (var _ = Scope.open()) {
        var mine = unbroadcast(d, of.shape());
        var before = cotangents.get(of);
        cotangents.put(of, before == null ? mine.share() : before.add(mine).share());
        if (before != null) before.end();
      }
    });
  }

  private static Tensor unbroadcast(Tensor d, Shape to) {
    if (d.shape().equals(to)) return d;
    int lead = d.shape().rank() - to.rank();
    var axes = new ArrayList<Integer>();
    for (int a = 0; a < d.shape().rank(); a++) if (a < lead || to.dim(a - lead) == 1 && d.dim(a) != 1) axes.add(a);
    return d.sum(axes.stream().mapToInt(i -> i).toArray()).reshape(to);
  }

  /// Runs the queued updates, in order.
  void runUpdates() { for (var q : queue) below.apply(q.op, q.in); }

  private static void end(Entry e) {
    for (var t : e.savedIn) if (t != null) t.end();
    for (var t : e.savedOut) if (t != null) t.end();
  }

  @Override public void close() {
    entries.forEach(Tape::end);
    entries.clear();
    queue.forEach(q -> q.in.forEach(Tensor::end));
    queue.clear();
  }

  /// The gradient of whatever `define` computes of `count` inputs, by running it again under a tape of its own.
  static Rule throughDefinition(int count, Function<List<Tensor>, List<Tensor>> define) {
    return Rule.needing(java.util.stream.IntStream.range(0, count).toArray(), a -> {
      var in = Arrays.asList(a.in());
      try (var inner = new Tape(in, Interpreter.current(), false)) {
        var y = inner.record(() -> define.apply(in));
        return inner.backward(y, Arrays.asList(a.cotangents()), in);
      }
    });
  }
}
