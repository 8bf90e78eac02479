package jacquard.clip.train.task;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.tensor.DType;
import jacquard.tensor.Group;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Collective;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;

/// How tensors are cut along their first axis: rank r of R has rows n·r/R … n·(r+1)/R − 1. Small ones are left whole on
/// all ranks, whose messages would cost more than they spare.
///
/// In a step all ranks fetch together. Between steps rank 0 works alone, and asks for what it needs, a tensor at a
/// time: it tells the number of the tensor, which the others, who stand by, have lent in the same order.
public final class Rows {
  /// Elements from which on a tensor is cut.
  private static final int LARGE = 1024;
  private static final String WANTED = "the tensor that rank 0 wants";

  /// @param own this rank's rows
  private record Lent(Tensor own, Shape whole) {}

  private final Group group;
  private final List<Lent> lent = new ArrayList<>();
  private final Map<Tensor, Integer> numbers = new IdentityHashMap<>();

  public Rows(Group group) { this.group = group; }

  /// Whether a tensor is cut.
  public boolean cut(Type type) {
    var s = type.shape();
    return type.dtype() == DType.F32 && s.rank() > 0 && s.size() >= LARGE && s.dim(0) >= group.size();
  }

  /// How many rows each rank has.
  int[] counts(Shape whole) {
    int[] r = new int[group.size()];
    for (int k = 0; k < r.length; k++) r[k] = first(whole, k + 1) - first(whole, k);
    return r;
  }

  private int first(Shape whole, int rank) { return (int) ((long) whole.dim(0) * rank / group.size()); }

  /// This rank's rows, where they lie.
  public Tensor own(Tensor whole) {
    return whole.slice(0, first(whole.shape(), group.rank()), first(whole.shape(), group.rank() + 1));
  }

  /// This rank's rows in a tensor of their own. Of a tensor that lies in a file, or is not drawn yet, they alone are
  /// read.
  Tensor taken(Tensor whole) {
    var shape = whole.shape();
    int from = first(shape, group.rank()), to = first(shape, group.rank() + 1);
    long skip = shape.size() / shape.dim(0) * from;
    var read = new Tensor[1];
    whole.storage().elsewhere(source -> {
      read[0] = Tensor.of(whole.type().with(shape.with(0, to - from)), (at, array, into, n) ->
          source.copy(skip + at, array, into, n));
      read[0].storage().block();
    });
    return read[0] != null ? read[0] : Scope.result(() -> own(whole).copy());
  }

  /// What fetches all rows.
  Collective.AllGather gather(Shape whole) { return new Collective.AllGather(group, counts(whole)); }

  /// All rows of a tensor, a rank's of which are `own`.
  public Tensor whole(Tensor own, Shape whole) { return Tensor.apply(gather(whole), own); }

  /// This rank's rows of the sum of all ranks' tensors.
  public Tensor summed(Tensor whole) {
    return Tensor.apply(new Collective.ReduceScatter(group, counts(whole.shape())), whole.dense());
  }

  // Rank 0 alone

  /// Lends this rank's rows of a tensor to rank 0, for as long as it trains.
  Tensor lend(Tensor own, Shape whole) {
    lent.add(new Lent(own, whole));
    numbers.put(own, lent.size());
    return own;
  }

  /// Tells the others, on rank 0, to take part in fetching a tensor.
  void want(Tensor own) { group.sum(WANTED, numbers.get(own)); }

  /// Says, on rank 0, that it wants no more.
  public void done() { group.sum(WANTED, 0); }

  /// Takes part, on another rank, in all that rank 0 fetches until it is done.
  public void give() {
    for (int n; (n = (int) group.sum(WANTED, 0)[0]) > 0; ) {
      var one = lent.get(n - 1);
      try (var _ = Scope.open(one.own.device())) { whole(one.own, one.whole); }
    }
  }

  /// All elements of a tensor, on rank 0.
  float[] wanted(Tensor own) {
    want(own);
    try (var _ = Scope.open(own.device())) { return whole(own, lent.get(numbers.get(own) - 1).whole).floats(); }
  }

  /// Tensors that a run must keep, those of cut ones whole in the file, for which rank 0 asks when it is written.
  ///
  /// @param tensors by name, this rank's rows of those that are cut
  /// @param whole   of a name the shape that it is cut from; null where it is not cut
  public Section section(SequencedMap<String, Tensor> tensors, Function<String, Shape> whole) {
    tensors.forEach((name, t) -> { if (whole.apply(name) != null) lend(t, whole.apply(name)); });
    return new Section() {
      @Override public Map<String, Safetensors.Array> stored() {
        var r = new LinkedHashMap<String, Safetensors.Array>();
        tensors.forEach((name, t) -> {
          var shape = whole.apply(name);
          r.put(name, shape == null ? Safetensors.Array.floats(t.shape(), t::floats)
              : Safetensors.Array.floats(shape, () -> wanted(t)));
        });
        return r;
      }

      @Override public void restore(Weights file, String prefix) throws IOException {
        for (var e : tensors.entrySet()) {
          var at = prefix + e.getKey();
          var shape = whole.apply(e.getKey());
          var expected = shape == null ? e.getValue().shape() : shape;
          if (!Arrays.equals(file.shape(at), expected.dims()))
            throw new IOException(file.file() + ": " + at + " is " + Shape.of(file.shape(at)) + ", expected " + expected
                + "; is it a run of another model?");
          put(e.getValue(), file.floats(at), shape);
        }
      }
    };
  }

  /// Writes this rank's rows of all values, or all where the shape is null.
  void put(Tensor own, float[] values, Shape whole) {
    if (whole == null) {
      Checkpoint.put(own, values);
      return;
    }
    if (values.length != whole.size())
      throw new IllegalArgumentException(values.length + " values for " + whole);
    int width = (int) (whole.size() / whole.dim(0)), from = first(whole, group.rank()) * width;
    Checkpoint.put(own, Arrays.copyOfRange(values, from, from + (int) own.shape().size()));
  }
}
