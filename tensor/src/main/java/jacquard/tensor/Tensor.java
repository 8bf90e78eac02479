package jacquard.tensor;

import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Indexing;
import jacquard.tensor.op.Movement;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Reduction;
import java.util.ArrayList;
import java.util.List;

/// An array of numbers on a device: a type, a layout and a storage. Its methods name ops; what applying one means the
/// context decides ([Interpreter]). A tensor belongs to the scope it was made in and ends with it.
public final class Tensor {
  private final Type type;
  private final Layout layout;
  private final Storage storage;                         // null: a type without elements
  private volatile boolean ended;
  Scope owner;

  private Tensor(Type type, Layout layout, Storage storage) {
    this.type = type;
    this.layout = layout;
    this.storage = storage;
    if (storage != null) storage.retain();
  }

  /// A tensor in the current scope, its elements unspecified.
  public static Tensor empty(Type type) {
    var scope = Scope.current();
    var layout = Layout.dense(type.shape());
    long n = type.shape().size();
    var t = new Tensor(type, layout,
        new Storage(scope.device(), type.dtype(), n, scope.device().allocate(type.dtype(), n)));
    scope.own(t);
    return t;
  }

  /// A type without elements: the stand-in from which models are described before they are loaded.
  public static Tensor described(Type type) { return new Tensor(type, Layout.dense(type.shape()), null); }

  public static Tensor of(Shape shape, float... values) {
    return written(new Type(DType.F32, shape), values, values.length);
  }
  public static Tensor ofInts(Shape shape, int... values) {
    return written(new Type(DType.I32, shape), values, values.length);
  }
  public static Tensor scalar(float value) { return of(Shape.SCALAR, value); }

  /// From a primitive array of the dtype (see [DType]), row-major.
  public static Tensor ofArray(Type type, Object array) {
    return written(type, array, java.lang.reflect.Array.getLength(array));
  }

  private static Tensor written(Type type, Object values, int count) {
    if (count != type.shape().size()) throw new IllegalArgumentException(count + " values for " + type);
    var t = empty(type);
    t.device().write(values, type.dtype(), t.storage.block(), count);
    return t;
  }

  /// Of elements that lie elsewhere, row-major, until they are used.
  public static Tensor of(Type type, Storage.Source source) {
    var scope = Scope.current();
    var t = new Tensor(type, Layout.dense(type.shape()),
        new Storage(scope.device(), type.dtype(), type.shape().size(), source));
    scope.own(t);
    return t;
  }

  public static Tensor full(Shape shape, float value) { return apply(new Movement.Fill(shape, value)); }
  public static Tensor zeros(Shape shape) { return full(shape, 0); }

  public Type type() { return type; }
  public Shape shape() { return type.shape(); }
  public DType dtype() { return type.dtype(); }
  public int dim(int axis) { return type.shape().dim(axis); }
  public Layout layout() { return layout; }
  public Device device() { return storage().device(); }
  public boolean live() { return storage != null && !ended && storage.live(); }

  public Storage storage() {
    if (storage == null) throw new IllegalStateException("tensor " + type + " is a description without elements");
    if (ended) throw new IllegalStateException("tensor " + type + " has ended with the " + owner);
    return storage;
  }

  /// A second handle on the same elements that belongs to no scope; whoever asks for it calls [#end].
  public Tensor share() { return new Tensor(type, layout, storage()); }

  /// Gives up this handle: the elements go back to the device when no other is left. Once is enough, twice does
  /// nothing.
  public void end() {
    if (ended || storage == null) return;
    ended = true;
    storage.release();
  }

  /// Says that `half` holds these elements in BF16, written by the kernel that wrote them: under mixed precision a cast
  /// finds it.
  public void halved(Tensor half) {
    if (half.dtype() != DType.BF16 || dtype() != DType.F32 || half.storage().size() != storage().size())
      throw new IllegalArgumentException(half + " is no BF16 form of " + this);
    storage().halved(half.storage());
  }

  /// This, in F32, in BF16: a view of the form that its storage keeps.
  Tensor half() {
    var whole = Shape.of(Math.toIntExact(storage().size()));
    var to = storage.half(h -> {
      Tensor from = new Tensor(type.with(whole), Layout.dense(whole), storage), into =
          new Tensor(new Type(DType.BF16, whole), Layout.dense(whole), h);
      device().run(new Elementwise.Cast(DType.BF16), List.of(from), List.of(into));
      from.end();
      into.end();
    });
    var t = new Tensor(new Type(DType.BF16, shape()), layout, to);
    Scope.current().own(t);
    return t;
  }

  List<Tensor> views(List<Layout> layouts) {
    var scope = Scope.current();
    var out = new ArrayList<Tensor>(layouts.size());
    for (var l : layouts) {
      var t = new Tensor(type.with(l.shape()), l, storage());
      scope.own(t);
      out.add(t);
    }
    return out;
  }

  // Reading back

  /// The elements as a new row-major array; 16-bit types are widened.
  public float[] floats() {
    var t = dtype() == DType.F32 ? this : cast(DType.F32);
    return (float[]) t.read();
  }

  public int[] ints() { return (int[]) read(); }

  /// A new primitive array of the dtype, row-major.
  public Object read() { return layout.dense() ? device().read(this) : copy().read(); }

  /// The one element of a tensor of one.
  public float item() {
    if (shape().size() != 1)
      throw new IllegalStateException("item() of " + type + ": it has " + shape().size() + " elements, expected 1");
    return floats()[0];
  }

  // Elementwise, with broadcasting

  public Tensor add(Tensor b)      { return apply(new Elementwise.Add(), this, b); }
  public Tensor subtract(Tensor b) { return apply(new Elementwise.Subtract(), this, b); }
  public Tensor mul(Tensor b)      { return apply(new Elementwise.Multiply(), this, b); }
  public Tensor divide(Tensor b)   { return apply(new Elementwise.Divide(), this, b); }
  public Tensor equal(Tensor b)    { return apply(new Elementwise.Equal(), this, b); }
  public Tensor mul(float k)       { return affine(k, 0); }
  public Tensor add(float k)       { return affine(1, k); }
  public Tensor negate()           { return affine(-1, 0); }
  /// scale·x + shift
  public Tensor affine(float scale, float shift) { return apply(new Elementwise.Affine(scale, shift), this); }
  public Tensor exp()              { return apply(new Elementwise.Exp(), this); }
  public Tensor log()              { return apply(new Elementwise.Log(), this); }
  public Tensor sqrt()             { return apply(new Elementwise.Sqrt(), this); }
  public Tensor sigmoid()          { return apply(new Elementwise.Sigmoid(), this); }
  public Tensor tanh()             { return apply(new Elementwise.Tanh(), this); }
  public Tensor softplus()         { return apply(new Elementwise.Softplus(), this); }
  public Tensor clamp(float low, float high) { return apply(new Elementwise.Clamp(low, high), this); }
  public Tensor activate(Activation a) {
    return a == Activation.NONE ? this : apply(new Elementwise.Activate(a), this);
  }
  public Tensor cast(DType to)     { return to == dtype() ? this : apply(new Elementwise.Cast(to), this); }

  // Reductions and contractions

  public Tensor sum(int... axes)   { return apply(new Reduction.Sum(axes, false), this); }
  public Tensor sum()              { return apply(Reduction.Sum.all(shape().rank()), this); }
  public Tensor sumKeeping(int... axes) { return apply(new Reduction.Sum(axes, true), this); }
  public Tensor maxKeeping(int... axes) { return apply(new Reduction.Max(axes, true), this); }
  public Tensor mean()             { return sum().mul(1f / shape().size()); }
  /// A·B for matrices.
  public Tensor matmul(Tensor b)   { return apply(new Contraction.MatMul(false, false), this, b); }
  public Tensor matmul(boolean transposeA, Tensor b, boolean transposeB) {
    return apply(new Contraction.MatMul(transposeA, transposeB), this, b);
  }

  // Movement: views where the layout allows

  public Tensor reshape(int... dims) { return reshape(Shape.of(dims)); }
  public Tensor reshape(Shape to)  {
    return layout.reshape(to) == null ? copy().reshape(to) : to.equals(shape()) ? this
        : apply(new Movement.Reshape(to), this);
  }
  public Tensor permute(int... axes) { return apply(new Movement.Permute(axes), this); }
  public Tensor slice(int axis, int from, int to) {
    return apply(new Movement.Slice(axis < 0 ? axis + shape().rank() : axis, from, to), this);
  }
  public Tensor expand(Shape to)   { return to.equals(shape()) ? this : apply(new Movement.Expand(to), this); }
  public List<Tensor> split(int axis, int... sizes) {
    return applyAll(new Movement.Split(axis < 0 ? axis + shape().rank() : axis, sizes), List.of(this));
  }
  public Tensor copy()             { return apply(new Movement.Copy(), this); }
  public Tensor dense()            { return layout.dense() ? this : copy(); }
  /// The parts one after another along an axis: a copy, or a view where they lie so already.
  public static Tensor concat(int axis, List<Tensor> parts) {
    return parts.size() == 1 ? parts.getFirst() : applyAll(new Movement.Concat(axis), parts).getFirst();
  }

  // Indexing

  /// Rows `index[i]` of this matrix; −1 gives a row of zeros.
  public Tensor gather(Tensor index) { return apply(new Indexing.Gather(), this, index); }
  public Tensor gather(int... index) { return gather(ofInts(Shape.of(index.length), index)); }
  /// A matrix of `rows` rows, row `index[i]` the sum of all rows `i` of this one that name it.
  public Tensor scatterAdd(int rows, Tensor index) { return apply(new Indexing.ScatterAdd(rows), this, index); }

  // Fused

  /// activation(x·Wᵀ + b); `bias` may be null.
  public Tensor linear(Tensor weight, Tensor bias, Activation activation) {
    return linear(weight, bias, activation, null);
  }
  /// activation(x·Wᵀ + b) + `added`, which may be null too.
  public Tensor linear(Tensor weight, Tensor bias, Activation activation, Tensor added) {
    var in = new ArrayList<>(List.of(this, weight));
    if (bias != null) in.add(bias);
    if (added != null) in.add(added);
    return applyAll(new Fused.Linear(activation, bias != null, added != null, false), in).getFirst();
  }
  public Tensor softmax() { return apply(new Fused.Softmax(), this); }
  public Tensor layerNorm(Tensor weight, Tensor bias, float epsilon) {
    return apply(new Fused.LayerNorm(epsilon, false), this, weight, bias);
  }
  /// Rows of length 1: x / max(‖x‖, 1e-12).
  public Tensor normalize() { return apply(new Fused.Normalize(1e-12f), this); }

  public static Tensor apply(Op op, Tensor... in) { return Interpreter.current().apply(op, List.of(in)).getFirst(); }
  public static List<Tensor> applyAll(Op op, List<Tensor> in) { return Interpreter.current().apply(op, in); }

  @Override public String toString() { return "Tensor " + type + (ended ? " (ended)" : ""); }
}
