package jacquard.tests;

import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Movement;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Update;
import jacquard.tests.reference.Exact;
import jacquard.tests.reference.Real;
import jacquard.tests.reference.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// What a device owes a spec. Each check throws an [AssertionError] that says where it fails.
public final class Conformance {
  /// What an application gave: a primitive array of the dtype.
  public record Result(DType dtype, Object array) {
    static Result of(Tensor t) { return new Result(t.dtype(), t.read()); }
    public double[] values() { return Sample.widened(dtype, array); }
  }

  private final Device device;

  /// The device that the tests are about: `-Djacquard.device=NAME`, else the best.
  public static Device device() {
    var name = System.getProperty("jacquard.device");
    return name == null ? Device.best() : Device.named(name);
  }

  public Conformance(Device device) { this.device = device; }

  /// Everything: values, surroundings, views, what kernels leave behind, 16-bit storage, and no block left over.
  public void check(OpSpec s) {
    long before = device.live().blocks();
    var in = s.draw(1);
    try (var _ = Scope.open(device)) {
      var dense = run(s.op(), in, Placement.DENSE);
      compare(reference(s.op(), in), dense);
      again(s.op(), in, dense);
      for (var p : Placement.values())
        if (p != Placement.DENSE) same(run(s.op(), in, p), dense, p + " inputs give other bits than dense ones");
      expanded(s.op(), in);
    }
    if (!s.large() && halved(s))
      for (var t : new DType[] {DType.BF16, DType.F16})
        try (var _ = Scope.open(device)) { halves(s.op(), s.as(t).draw(1)); }
    if (device.live().blocks() != before)
      throw new AssertionError(device.live().blocks() - before + " blocks left over");
  }

  public static List<Exact> reference(Op op, List<Sample> in) {
    return Reference.apply(op, in.stream().map(Sample::exact).toList());
  }

  /// Applies the op with poison around inputs and outputs, and fails if anything but the results was written. The
  /// results are the outputs, then what an update wrote.
  public List<Result> run(Op op, List<Sample> in, Placement placement) {
    var placed = new ArrayList<Placement.Placed>();
    for (int i = 0; i < in.size(); i++)
      placed.add((written(op, i) && placement != Placement.DENSE ? Placement.OFFSET : placement).place(in.get(i)));
    var before = placed.stream().map(p -> p.whole().read()).toList();
    var tensors = placed.stream().map(Placement.Placed::tensor).toList();
    var r = new ArrayList<Result>();
    if (op instanceof Movement.View) views(op, tensors).forEach(t -> r.add(Result.of(t)));
    else {
      var outs = op.infer(tensors.stream().map(Tensor::type).toList()).stream().map(Placement::output).toList();
      device.run(op, tensors, outs.stream().map(Placement.Placed::tensor).toList());
      for (var o : outs) {
        r.add(Result.of(o.tensor()));
        int n = Math.toIntExact(o.tensor().shape().size()), all = Math.toIntExact(o.whole().shape().size());
        if (!Placement.same(o.whole().slice(0, n, all).read(), Placement.poison(o.tensor().dtype(), all - n)))
          throw new AssertionError("wrote past an output");
      }
    }
    for (int i = 0; i < in.size(); i++) {
      Object now = placed.get(i).whole().read();
      if (written(op, i)) {
        r.add(Result.of(placed.get(i).tensor()));
        int at = placed.get(i).tensor().layout().offset();
        // what lies around it must be as it was
        System.arraycopy(before.get(i), at, now, at, in.get(i).values().length);
      }
      if (!Placement.same(now, before.get(i)))
        throw new AssertionError("changed input " + i + " or what lies around it (" + placement + ")");
    }
    return r;
  }

  /// A view of a tensor that has none copies it first.
  private static List<Tensor> views(Op op, List<Tensor> in) {
    return op instanceof Movement.Reshape(var to) ? List.of(in.getFirst().reshape(to)) : Tensor.applyAll(op, in);
  }

  private static boolean written(Op op, int i) {
    return op instanceof Update u && Arrays.stream(u.written()).anyMatch(w -> w == i);
  }

  /// Within the tolerance that the reference derives; NaN and infinities exactly.
  public static void compare(List<Exact> expected, List<Result> found) {
    if (expected.size() != found.size())
      throw new AssertionError(found.size() + " outputs, expected " + expected.size());
    for (int k = 0; k < expected.size(); k++) compare("output " + k, expected.get(k), found.get(k).values(), 1);
  }

  /// @param times how many tolerances are allowed
  public static void compare(String what, Exact expected, double[] found, double times) {
    if (found.length != expected.size())
      throw new AssertionError(what + " has " + found.length + " elements, expected " + expected.size());
    for (int i = 0; i < found.length; i++) {
      Real e = expected.get(i);
      double v = e.value(), f = found[i], off = Math.abs(f - v);
      boolean ok = Double.isNaN(v) ? Double.isNaN(f) : Double.isInfinite((float) v) ? f == (float) v
          : off <= times * e.tolerance();
      if (!ok)
        throw new AssertionError("%s, element %d of %s: %s, expected %s ± %s, off by %s tolerances".formatted(what, i,
            expected.shape(), f, v, times * e.tolerance(), off / e.tolerance()));
    }
  }

  private static void same(List<Result> a, List<Result> b, String otherwise) {
    for (int k = 0; k < b.size(); k++)
      if (!Placement.same(a.get(k).array, b.get(k).array)) throw new AssertionError(otherwise + ": output " + k);
  }

  /// The same bits again after the op ran on NaNs: nothing that a kernel keeps reaches a later result.
  private void again(Op op, List<Sample> in, List<Result> dense) {
    run(op, in.stream().map(t -> t.type().dtype().floating()
        ? new Sample(t.type(), Arrays.stream(t.values()).map(_ -> Double.NaN).toArray()) : t).toList(),
        Placement.DENSE);
    same(run(op, in, Placement.DENSE), dense, "another run gives other bits");
  }

  /// Each input in turn with its first axis repeated by a stride of 0.
  private static void expanded(Op op, List<Sample> in) {
    for (int i = 0; i < in.size(); i++) {
      var shape = in.get(i).type().shape();
      if (shape.rank() == 0 || shape.dim(0) < 2 || shape.size() == 0 || written(op, i)) continue;
      double[] one = Arrays.copyOf(in.get(i).values(), Math.toIntExact(shape.size() / shape.dim(0))), repeated =
          new double[in.get(i).values().length];
      for (int k = 0; k < repeated.length; k++) repeated[k] = one[k % one.length];
      var copies = new ArrayList<>(in);
      copies.set(i, new Sample(in.get(i).type(), repeated));
      var views = tensors(copies);
      views.set(i, new Sample(in.get(i).type().with(shape.with(0, 1)), one).tensor().expand(shape));
      same(results(op, views), results(op, tensors(copies)),
          "an expanded input " + i + " gives other bits than its copy");
    }
  }

  private static List<Tensor> tensors(List<Sample> samples) {
    return new ArrayList<>(samples.stream().map(Sample::tensor).toList());
  }

  private static List<Result> results(Op op, List<Tensor> in) {
    var out = new ArrayList<>(views(op, in));
    if (op instanceof Update u) for (int w : u.written()) out.add(in.get(w));
    return out.stream().map(Result::of).toList();
  }

  /// Whether the spec says something of 16-bit floats: values within their range, in floating inputs of an op that
  /// computes.
  private static boolean halved(OpSpec s) {
    if (s.op() instanceof Update || s.op() instanceof Elementwise.Cast || s.inputs().isEmpty()
        || !s.inputs().getFirst().type().dtype().floating())
      return false;
    return s.inputs().stream()
        .allMatch(i -> Arrays.stream(Draw.sample(0, i.type(), i.values()).values()).allMatch(v -> Math.abs(v) <= 1000));
  }

  /// 16-bit storage: the largest error at most twice that of the naive composition, which rounds every intermediate
  /// result; where there is none, twice that of a correctly rounded result.
  private static void halves(Op op, List<Sample> in) {
    var expected = reference(op, in);
    var ours = results(op, tensors(in));
    var naive = op instanceof Fused f && in.getFirst().values().length > 0
        ? f.define(tensors(in)).stream().map(Result::of).toList() : null;
    var dtype = in.getFirst().type().dtype();
    for (int k = 0; k < expected.size(); k++) {
      var e = expected.get(k);
      double[] a = ours.get(k).values(), b = naive == null ? Sample.of(new Type(dtype, e.shape()), e).values()
          : naive.get(k).values();
      double worst = 0, allowed = 0;
      for (int i = 0; i < a.length; i++) {
        double v = e.get(i).value();
        if (!Double.isFinite(v)) continue;
        worst = Math.max(worst, Math.abs(a[i] - v) - e.get(i).tolerance());
        allowed = Math.max(allowed, Double.isFinite(b[i]) ? Math.abs(b[i] - v) : Double.POSITIVE_INFINITY);
      }
      if (!(worst <= 2 * allowed))
        throw new AssertionError(dtype + " output " + k + ": error " + worst + ", the naive composition's " + allowed);
    }
  }
}
