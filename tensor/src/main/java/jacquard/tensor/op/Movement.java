package jacquard.tensor.op;

import jacquard.tensor.DType;
import jacquard.tensor.Layout;
import jacquard.tensor.Shape;
import jacquard.tensor.Type;
import java.util.Arrays;
import java.util.List;

/// The same elements elsewhere. Views are arithmetic on the layout and run on no device.
public sealed interface Movement extends Op {

  sealed interface View extends Movement {
    /// The layouts of the results.
    List<Layout> view(Layout in);

    @Override default List<Type> infer(List<Type> in) {
      if (in.size() != 1) throw Op.mismatch(this, in, "one tensor");
      check(in);
      return view(Layout.dense(in.getFirst().shape())).stream().map(l -> in.getFirst().with(l.shape())).toList();
    }

    void check(List<Type> in);
  }

  record Reshape(Shape to) implements View {
    @Override public void check(List<Type> in) {
      if (in.getFirst().shape().size() != to.size()) throw Op.mismatch(this, in, to.size() + " elements");
    }
    @Override public List<Layout> view(Layout in) { return List.of(in.reshape(to)); }
  }

  record Permute(int[] axes) implements View {
    @Override public void check(List<Type> in) {
      int rank = in.getFirst().shape().rank();
      if (!Arrays.equals(Arrays.stream(axes).sorted().toArray(), java.util.stream.IntStream.range(0, rank).toArray()))
        throw Op.mismatch(this, in, "each of " + rank + " axes once");
    }
    @Override public List<Layout> view(Layout in) { return List.of(in.permute(axes)); }
    @Override public String toString() { return "Permute" + Arrays.toString(axes); }
  }

  record Slice(int axis, int from, int to) implements View {
    @Override public void check(List<Type> in) {
      within(this, axis, in);
      if (from < 0 || to < from || to > in.getFirst().shape().dim(axis))
        throw Op.mismatch(this, in, "bounds within the axis");
    }
    @Override public List<Layout> view(Layout in) { return List.of(in.slice(axis, from, to)); }
  }

  record Expand(Shape to) implements View {
    @Override public void check(List<Type> in) {
      var s = in.getFirst().shape();
      boolean fits = s.rank() <= to.rank();
      for (int i = 1; fits && i <= s.rank(); i++) fits = s.dim(-i) == to.dim(-i) || s.dim(-i) == 1;
      if (!fits) throw Op.mismatch(this, in, "a shape that broadcasts to " + to);
    }
    @Override public List<Layout> view(Layout in) { return List.of(in.expand(to)); }
  }

  /// Cuts an axis into parts of these sizes; as many outputs.
  record Split(int axis, int[] sizes) implements View {
    @Override public int outputs() { return sizes.length; }
    @Override public void check(List<Type> in) {
      within(this, axis, in);
      if (Arrays.stream(sizes).anyMatch(n -> n < 0) || Arrays.stream(sizes).sum() != in.getFirst().shape().dim(axis))
        throw Op.mismatch(this, in, "sizes that add up to the axis");
    }
    @Override public List<Layout> view(Layout in) {
      var out = new Layout[sizes.length];
      for (int i = 0, at = 0; i < sizes.length; at += sizes[i++]) out[i] = in.slice(axis, at, at + sizes[i]);
      return List.of(out);
    }
    @Override public String toString() { return "Split[axis=" + axis + ", sizes=" + Arrays.toString(sizes) + "]"; }
  }

  record Concat(int axis) implements Movement {
    @Override public List<Type> infer(List<Type> in) {
      if (in.isEmpty()) throw Op.mismatch(this, in, "at least one tensor");
      int rank = in.getFirst().shape().rank(), n = 0;
      if (axis < -rank || axis >= rank || in.stream().anyMatch(t -> t.shape().rank() != rank))
        throw Op.mismatch(this, in, "tensors of one rank with the axis");
      for (var t : in) {
        if (!t.with(t.shape().with(axis, 0)).equals(in.getFirst().with(in.getFirst().shape().with(axis, 0))))
          throw Op.mismatch(this, in, "types equal but for the axis");
        n += t.shape().dim(axis);
      }
      return List.of(in.getFirst().with(in.getFirst().shape().with(axis, n)));
    }
  }

  /// The elements row-major in a storage of their own.
  record Copy() implements Movement {
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 1) throw Op.mismatch(this, in, "one tensor");
      return in;
    }
  }

  /// Zeros before and after along one axis: the gradient of Slice.
  record Pad(int axis, int before, int after) implements Movement {
    @Override public List<Type> infer(List<Type> in) {
      if (in.size() != 1 || before < 0 || after < 0)
        throw Op.mismatch(this, in, "one tensor, and no fewer than no zeros");
      within(this, axis, in);
      var s = in.getFirst().shape();
      return List.of(in.getFirst().with(s.with(axis, before + s.dim(axis) + after)));
    }
  }

  /// One value everywhere; no inputs.
  record Fill(Shape shape, float value) implements Movement {
    @Override public List<Type> infer(List<Type> in) {
      if (!in.isEmpty()) throw Op.mismatch(this, in, "no inputs");
      return List.of(new Type(DType.F32, shape));
    }
  }

  private static void within(Movement op, int axis, List<Type> in) {
    if (axis < 0 || axis >= in.getFirst().shape().rank())
      throw Op.mismatch(op, in, "an axis of the tensor, counted from 0");
  }
}
