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
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// What was applied, in order, and of each application exactly what its gradient row reads, less what a cheap op makes
/// again. Lives for one lambda of [Grad]. Backward frees what it has consumed.
final class Tape implements Interpreter, AutoCloseable {
  /// An application: the tensors as keys; `saved…` the elements that the row reads, null elsewhere; `from` the
  /// application of a cheap op whose first output an input is, if it is not kept; `again` that output while backward
  /// needs it.
  private static final class Entry {
    final Pullback pullback;
    final Tensor[] in, out, savedIn, savedOut;
    final Entry[] from;
    final int[] versions;
    final Pass pass = Pass.current();
    Tensor again;

    Entry(Pullback pullback, List<Tensor> in, List<Tensor> out) {
      this.pullback = pullback;
      this.in = in.toArray(Tensor[]::new);
      this.out = out.toArray(Tensor[]::new);
      savedIn = new Tensor[in.size()];
      savedOut = new Tensor[out.size()];
      from = new Entry[in.size()];
      versions = new int[in.size()];
    }
  }

  /// What has so many times fewer elements than a cheap op's output is kept in its place.
  private static final int SMALL = 8;

  private record Queued(Update op, List<Tensor> in) {}

  private final Interpreter below;
  private final boolean updates;
  private final Thread thread = Thread.currentThread();
  private final Map<Tensor, Boolean> active = new IdentityHashMap<>();
  private final Map<Tensor, Boolean> sources = new IdentityHashMap<>();
  private final Map<Tensor, Entry> cheap = new IdentityHashMap<>();
  /// Tensor → the number of the first application that reads it: the last that backward comes to.
  private final Map<Tensor, Integer> touched = new IdentityHashMap<>();
  private final List<Entry> entries = new ArrayList<>();
  private final List<Queued> queue = new ArrayList<>();

  /// @param updates whether update ops are queued, or dropped because this is a recomputation
  Tape(Iterable<Tensor> sources, Interpreter below, boolean updates) {
    this.below = below;
    this.updates = updates;
    for (var t : sources) {
      active.put(t, true);
      this.sources.put(t, true);
    }
  }

  <T> T record(java.util.function.Supplier<T> f) {
    return ScopedValue.where(CURRENT, Pass.current().over(this)).call(f::get);
  }

  @Override public List<Tensor> apply(Op op, List<Tensor> in) {
    if (Thread.currentThread() != thread)
      throw new IllegalStateException(op + ": a recording belongs to the thread " + thread.getName() + ", not "
          + Thread.currentThread().getName());
    if (op instanceof Update u) {
      if (updates) queue.add(new Queued(u, in.stream().map(Tensor::share).toList()));
      return List.of();
    }
    boolean any = false;
    for (var t : in) if (active.containsKey(t)) { any = true; touched.putIfAbsent(t, entries.size()); }
    if (!any) return below.apply(op, in);
    var recorded = op.recorded();
    var out = below.apply(recorded, in);
    note(Vjp.of(recorded, in.size()), in, out);
    return out.size() == op.outputs() ? out : out.subList(0, op.outputs());
  }

  private void note(Pullback pullback, List<Tensor> in, List<Tensor> out) {
    var entry = new Entry(pullback, in, out);
    for (int i : pullback.inputs())
      if (pullback.reads(i, j -> active.containsKey(in.get(j))) && (entry.from[i] = cheap.get(in.get(i))) == null)
        entry.savedIn[i] = in.get(i).share();
    for (int i : pullback.outputs()) entry.savedOut[i] = out.get(i).share();
    if (pullback.again() != null && held(entry)) cheap.put(out.getFirst(), entry);
    for (int i = 0; i < entry.in.length; i++)
      if (entry.savedIn[i] != null || sources.containsKey(entry.in[i]))
        entry.versions[i] = entry.in[i].storage().version();
    entries.add(entry);
    for (var t : out) active.put(t, true);
  }

  /// Whether what a cheap op reads will be there in backward: kept by its own row, a source, itself made again, or kept
  /// here because it is small beside the output, as what a frozen norm adds is.
  private boolean held(Entry e) {
    for (int i : e.pullback.again().inputs()) {
      if (e.savedIn[i] != null || e.from[i] != null || sources.containsKey(e.in[i])) continue;
      if ((e.from[i] = cheap.get(e.in[i])) != null) continue;
      if (SMALL * e.in[i].shape().size() > e.out[0].shape().size()) return false;
      e.savedIn[i] = e.in[i].share();
    }
    return true;
  }

  boolean reached(Tensor t) { return touched.containsKey(t); }

  /// Runs `f` unrecorded and remembers only `inputs`; backward runs it again.
  List<Tensor> checkpoint(List<Tensor> inputs, Function<List<Tensor>, List<Tensor>> f) {
    Interpreter through = (op, in) -> {
      if (op instanceof Update) return apply(op, in);
      for (var t : in) if (active.containsKey(t)) touched.putIfAbsent(t, entries.size());
      return below.apply(op, in);
    };
    var out = Scope.results(() -> ScopedValue.where(CURRENT, Pass.current().over(through))
        .call(() -> f.apply(inputs)));
    int[] all = java.util.stream.IntStream.range(0, inputs.size()).toArray();
    note(new Pullback(all, Pullback.NONE, a -> {
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

  /// Takes over a wanted cotangent, by its number, once nothing more can be added to it.
  interface Finished { void of(int wanted, Tensor cotangent); }

  /// The cotangents of `wanted` (null where none arrived), given those of `of`; they belong to the current scope.
  List<Tensor> backward(List<Tensor> of, List<Tensor> given, List<Tensor> wanted) {
    return backward(of, given, wanted, null);
  }

  /// The same; with `finished` each goes there as soon as it is whole, and the result is nulls.
  List<Tensor> backward(List<Tensor> of, List<Tensor> given, List<Tensor> wanted, Finished finished) {
    cotangents = new IdentityHashMap<>();
    for (int i = 0; i < of.size(); i++) if (given.get(i) != null) accumulate(of.get(i), given.get(i));
    var due = new HashMap<Integer, List<Integer>>();
    if (finished != null)
      for (int i = 0; i < wanted.size(); i++)
        if (reached(wanted.get(i))) due.computeIfAbsent(touched.get(wanted.get(i)), _ -> new ArrayList<>()).add(i);
    for (int e = entries.size() - 1; e >= 0; e--) {
      var entry = entries.remove(e);
      var d = new Tensor[entry.out.length];
      boolean any = false;
      for (int i = 0; i < d.length; i++) any |= (d[i] = cotangents.remove(entry.out[i])) != null;
      try { if (any) step(entry, d); }
      finally {
        for (var t : d) if (t != null) t.end();
        end(entry);
      }
      for (int i : due.getOrDefault(e, List.of())) {
        var whole = cotangents.remove(wanted.get(i));
        if (whole != null) finished.of(i, whole);
      }
    }
    var scope = Scope.current();
    var result = new ArrayList<Tensor>();
    for (var w : wanted) {
      var d = cotangents.remove(w);
      result.add(d == null ? null : scope.adopt(d));
    }
    return result;
  }

  private void step(Entry entry, Tensor[] d) {
    int n = entry.in.length;
    boolean[] wanted = new boolean[n];
    for (int i = 0; i < n; i++) wanted[i] = active.containsKey(entry.in[i]);
    var before = entry.pullback.adding() >= 0 ? cotangents.remove(entry.in[entry.pullback.adding()]) : null;
    try {
      under(entry, () -> {
        var dx = entry.pullback.backward().of(application(entry, entry.pullback.inputs(), d, wanted, before));
        for (int i = 0; i < n; i++) if (wanted[i] && dx.get(i) != null) accumulate(entry.in[i], dx.get(i));
      });
    } finally { if (before != null) before.end(); }
  }

  /// Runs `f` in the forward's circumstances but unrecorded; precision has had its say in the forward.
  private void under(Entry entry, Runnable f) {
    try (var _ = Scope.open()) { ScopedValue.where(CURRENT, below).where(Pass.CURRENT, entry.pass).run(f); }
  }

  /// An application with the elements of some inputs; the others are types without elements.
  private Pullback.Application application(Entry entry, int[] inputs, Tensor[] d, boolean[] wanted, Tensor before) {
    Tensor[] in = new Tensor[entry.in.length], out = new Tensor[entry.out.length];
    for (int i : inputs)
      if (wanted == null || entry.pullback.reads(i, j -> wanted[j])) in[i] = input(entry, i);
    for (int i = 0; i < in.length; i++) if (in[i] == null) in[i] = Tensor.described(entry.in[i].type());
    for (int i = 0; i < out.length; i++)
      out[i] = entry.savedOut[i] != null ? entry.savedOut[i] : Tensor.described(entry.out[i].type());
    return new Pullback.Application(in, out, d, wanted, before);
  }

  private Tensor input(Entry entry, int i) {
    if (entry.from[i] != null) return again(entry.from[i]);
    var t = entry.savedIn[i] != null ? entry.savedIn[i] : entry.in[i];
    if (t.storage().version() != entry.versions[i])
      throw new IllegalStateException("tensor " + t.type() + " was changed in place after the forward saved it");
    return t;
  }

  /// The first output of a cheap op, made once and kept until backward has come to the op itself.
  private Tensor again(Entry cheap) {
    if (cheap.again == null) under(cheap, () -> {
      var r = cheap.pullback.again();
      cheap.again = r.apply().apply(application(cheap, r.inputs(), null, null, null)).share();
    });
    return cheap.again;
  }

  /// Adds a cotangent to a tensor's sum, broadcasting undone.
  private void accumulate(Tensor of, Tensor d) {
    ScopedValue.where(CURRENT, below).run(() -> {
      try (var _ = Scope.open()) {
        var mine = unbroadcast(d, of.shape());
        var before = cotangents.get(of);
        cotangents.put(of, before == null ? mine.share() : before.add(mine.cast(before.dtype())).share());
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
    if (e.again != null) e.again.end();
  }

  @Override public void close() {
    entries.forEach(Tape::end);
    entries.clear();
    if (cotangents != null) cotangents.values().forEach(Tensor::end);
    queue.forEach(q -> q.in.forEach(Tensor::end));
    queue.clear();
  }

  /// The gradient of whatever `define` computes of `count` inputs, by running it again under a tape of its own.
  static Pullback throughDefinition(int count, Function<List<Tensor>, List<Tensor>> define) {
    return Pullback.needing(java.util.stream.IntStream.range(0, count).toArray(), a -> {
      var in = Arrays.asList(a.in());
      try (var inner = new Tape(in, Interpreter.current().base(), false)) {
        var y = inner.record(() -> define.apply(in));
        return inner.backward(y, Arrays.asList(a.cotangents()), in);
      }
    });
  }
}
