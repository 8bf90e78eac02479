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
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;

/// How tensors are cut along their first axis: rank r of R has rows n·r/R … n·(r+1)/R − 1. Small ones are left whole on
/// all ranks, whose messages would cost more than they spare.
public record Rows(Group group) {
  /// Elements from which on a tensor is cut.
  private static final int LARGE = 1024;

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

  /// What fetches all rows.
  Collective.AllGather gather(Shape whole) { return new Collective.AllGather(group, counts(whole)); }

  /// All rows of a tensor, a rank's of which are `own`.
  public Tensor whole(Tensor own, Shape whole) { return Tensor.apply(gather(whole), own); }

  /// Tensors that a run must keep, those of cut ones whole in the file; rank 0 alone has them all at a time.
  ///
  /// @param tensors by name, this rank's rows of those that are cut
  /// @param whole   of a name the shape that it is cut from; null where it is not cut
  public Section section(SequencedMap<String, Tensor> tensors, Function<String, Shape> whole) {
    return new Section() {
      @Override public Map<String, Safetensors.Array> stored() {
        var r = new LinkedHashMap<String, Safetensors.Array>();
        tensors.forEach((name, t) -> {
          var shape = whole.apply(name);
          float[] all = shape == null ? t.floats() : floats(t, shape);
          if (group.rank() == 0) r.put(name, new Safetensors.Array((shape == null ? t.shape() : shape).dims(), all));
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

  float[] floats(Tensor own, Shape whole) {
    try (var _ = Scope.open()) { return whole(own, whole).floats(); }
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
