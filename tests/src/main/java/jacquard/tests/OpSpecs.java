package jacquard.tests;

import jacquard.tensor.Grid;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Indexing;
import jacquard.tensor.op.Movement;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Ranges;
import jacquard.tensor.op.Reduction;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// The specs of all ops, odd sizes first.
public final class OpSpecs {
  private OpSpecs() {}

  public static List<OpSpec> all() {
    var r = new ArrayList<OpSpec>();
    for (Op op : List.of(new Elementwise.Add(), new Elementwise.Subtract(), new Elementwise.Multiply())) {
      r.add(plain(op, -2, 2, Shape.of(13, 7), Shape.of(13, 7)));
      r.add(plain(op, -2, 2, Shape.of(3, 5, 7), Shape.of(7)));
      r.add(plain(op, -2, 2, Shape.of(3, 1, 7), Shape.of(5, 1)));
    }
    r.add(plain(new Elementwise.Divide(), 0.5f, 2, Shape.of(13, 7), Shape.of(13, 1)));
    for (Op op : List.of(new Elementwise.Affine(1.5f, -0.3f), new Elementwise.Exp(), new Elementwise.Sigmoid(), new Elementwise.Tanh(), new Elementwise.Softplus(),
        new Elementwise.Clamp(-1.01f, 1.02f))) r.add(plain(op, -2, 2, Shape.of(5, 13)));
    for (Op op : List.of(new Elementwise.Log(), new Elementwise.Sqrt())) r.add(plain(op, 0.5f, 3, Shape.of(5, 13)));
    for (var a : Activation.values()) if (a != Activation.NONE) r.add(plain(new Elementwise.Activate(a), -3, 3, Shape.of(7, 13)));
    r.add(plain(new Elementwise.Cast(jacquard.tensor.DType.F32), -2, 2, Shape.of(13)));
    r.add(plain(new Reduction.Sum(new int[] {0}, false), -1, 1, Shape.of(13, 5)));
    r.add(plain(new Reduction.Sum(new int[] {1}, true), -1, 1, Shape.of(3, 13, 5)));
    r.add(plain(new Reduction.Sum(new int[] {-1}, false), -1, 1, Shape.of(3, 65)));
    r.add(plain(new Reduction.Max(new int[] {1}, true), -1, 1, Shape.of(5, 13)));
    for (boolean ta : new boolean[] {false, true}) for (boolean tb : new boolean[] {false, true})
      r.add(plain(new Contraction.MatMul(ta, tb), -1, 1, ta ? Shape.of(13, 7) : Shape.of(7, 13), tb ? Shape.of(5, 13) : Shape.of(13, 5)));
    r.add(plain(new Movement.Reshape(Shape.of(5, 6)), -1, 1, Shape.of(3, 10)));
    r.add(plain(new Movement.Permute(new int[] {2, 0, 1}), -1, 1, Shape.of(3, 5, 7)));
    r.add(plain(new Movement.Slice(1, 2, 5), -1, 1, Shape.of(3, 7)));
    r.add(plain(new Movement.Expand(Shape.of(4, 3, 7)), -1, 1, Shape.of(3, 1)));
    r.add(plain(new Movement.Split(1, new int[] {2, 5}), -1, 1, Shape.of(3, 7)));
    r.add(plain(new Movement.Concat(1), -1, 1, Shape.of(3, 2), Shape.of(3, 5)));
    r.add(plain(new Movement.Copy(), -1, 1, Shape.of(3, 5)));
    r.add(plain(new Movement.Pad(1, 2, 1), -1, 1, Shape.of(3, 5)));
    r.add(plain(new Movement.Fill(Shape.of(3), 2)));
    r.add(new OpSpec(new Indexing.Gather(), -1, 1, List.of(Shape.of(5, 7)), _ -> ints(4, 0, -1, 2, 2), null));
    r.add(new OpSpec(new Indexing.ScatterAdd(6), -1, 1, List.of(Shape.of(5, 7)), _ -> ints(4, 0, -1, 2, 2), null));
    for (var a : Activation.values()) r.add(fused(new Fused.Linear(a, true, false), -1, 1, Shape.of(7, 13), Shape.of(5, 13), Shape.of(5)));
    r.add(fused(new Fused.Linear(Activation.NONE, false, false), -1, 1, Shape.of(65, 33), Shape.of(19, 33)));
    r.add(fused(new Fused.Softmax(), -3, 3, Shape.of(5, 13)));
    r.add(fused(new Fused.LayerNorm(1e-5f, false), -2, 2, Shape.of(5, 13), Shape.of(13), Shape.of(13)));
    r.add(fused(new Fused.Normalize(1e-12f), -2, 2, Shape.of(5, 13)));
    r.add(fused(new Fused.Norm(), -2, 2, Shape.of(5, 13), Shape.of(7), Shape.of(1)));
    r.add(fused(new Fused.BatchNorm(1e-5f, false), -2, 2, Shape.of(13, 5), Shape.of(5), Shape.of(5)));
    r.add(fused(new Fused.Conv2d(new Grid(7, 5), 1, 1), -1, 1, Shape.of(2 * 35, 3), Shape.of(5, 3, 3, 3)));
    r.add(fused(new Fused.Conv2d(new Grid(7, 6), 2, 1), -1, 1, Shape.of(2 * 42, 2), Shape.of(3, 3, 3, 2)));
    r.add(fused(new Fused.Conv2d(new Grid(7, 7), 3, 0), -1, 1, Shape.of(2 * 49, 2), Shape.of(3, 3, 3, 2)));
    r.add(fused(new Fused.AveragePool(new Grid(5, 7), 2), -1, 1, Shape.of(2 * 35, 3)));
    var s = Sequences.ofLengths(3, 1, 5);
    r.add(fused(new Attention(2, 0.4f, s, s, Ranges.full(s, s)), -1, 1, Shape.of(9, 6), Shape.of(9, 6), Shape.of(9, 10)));
    r.add(fused(new Attention(2, 0.4f, s, s, Ranges.causal(s, s)), -1, 1, Shape.of(9, 6), Shape.of(9, 6), Shape.of(9, 6)));
    r.add(fused(new Attention(2, 0.4f, s, s, Ranges.causal(s, s)).withBias(), -1, 1, Shape.of(9, 6), Shape.of(9, 6), Shape.of(9, 6), Shape.of(2, 5, 6)));
    var q = Sequences.ofLengths(1, 2, 1);
    r.add(fused(new Attention(1, 0.4f, q, s, Ranges.full(q, s)), -1, 1, Shape.of(4, 5), Shape.of(9, 5), Shape.of(9, 3)));
    var longer = Sequences.ofLengths(300, 77);
    r.add(fused(new Attention(1, 0.4f, longer, longer, Ranges.causal(longer, longer)), -1, 1, Shape.of(377, 4), Shape.of(377, 4), Shape.of(377, 4)));
    for (int tile : new int[] {2, 128}) {
      r.add(fused(new Contrastive.Softmax(tile, false, false), -1, 1, Shape.of(7, 5), Shape.of(7, 5), Shape.of(1)));
      r.add(grouped(new Contrastive.Softmax(tile, true, false), Shape.of(7, 5), Shape.of(7, 5), Shape.of(1)));
      r.add(fused(new Contrastive.Sigmoid(tile, false), -1, 1, Shape.of(7, 5), Shape.of(7, 5), Shape.of(1), Shape.of(1)));
      r.add(grouped(new Contrastive.Sigmoid(tile, true), Shape.of(7, 5), Shape.of(7, 5), Shape.of(1), Shape.of(1)));
    }
    return r;
  }

  private static final Function<OpSpec, List<Tensor>> NONE = _ -> List.of();

  private static OpSpec plain(Op op, float low, float high, Shape... in) { return new OpSpec(op, low, high, List.of(in), NONE, null); }
  private static OpSpec plain(Op op) { return plain(op, 0, 1); }
  private static OpSpec fused(Fused op, float low, float high, Shape... in) { return new OpSpec(op, low, high, List.of(in), NONE, op::define); }
  private static OpSpec grouped(Fused op, Shape... in) {
    return new OpSpec(op, -1, 1, List.of(in), _ -> List.of(ints(0, 1, 1, 3, 4, 1, 0).getFirst(), ints(0, 1, 1, 3, 4, 1, 0).getFirst()), op::define);
  }
  private static List<Tensor> ints(int... v) { return List.of(Tensor.ofInts(Shape.of(v.length), v)); }
}
