package jacquard.tensor;

import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Collective;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Contrastive;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Indexing;
import jacquard.tensor.op.Movement;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Reduction;
import jacquard.tensor.op.Update;
import java.util.ArrayList;
import java.util.List;

/// In which element type each op of a run computes (Micikevicius et al. 2018). A policy stands above the recording
/// interpreter, so that its casts are differentiated: parameters stay F32, and so do their gradients and the
/// optimiser's moments.
public enum Precision {
  /// Everything as it comes: F32.
  FP32("fp32", null),

  /// Matrix products, convolutions and attention on BF16, which accumulate in F32; softmax, norms, losses,
  /// exponentials, sums and what ranks add up in F32. Layer norms, which mostly products read, give BF16. What adds or
  /// joins a BF16 and an F32 tensor widens the former, and a layer what it adds to, so that the residual stream of a
  /// transformer is F32.
  BF16("amp_bf16", DType.BF16),

  /// The same with F16 in place of BF16, as PyTorch's autocast has it: layer norms give F32, and what is smaller than
  /// 6e-8 is 0 in a product's gradients, so that a training multiplies its loss by a scale.
  F16("amp", DType.F16);

  private final String flag;
  private final DType half;

  Precision(String flag, DType half) {
    this.flag = flag;
    this.half = half;
  }

  /// OpenCLIP's name of it.
  public String flag() { return flag; }

  /// By OpenCLIP's names: `fp32`; `amp_bf16`, `amp_bfloat16` or plainly `bf16`; `amp` or plainly `fp16`. (OpenCLIP's
  /// own `bf16` and `fp16` have no F32 parameters; here there always are.)
  public static Precision named(String flag) {
    return switch (flag) {
      case "fp32" -> FP32;
      case "amp_bf16", "amp_bfloat16", "bf16" -> BF16;
      case "amp", "fp16" -> F16;
      default -> throw new IllegalArgumentException("precision " + flag + ", expected fp32, amp_bf16 or amp");
    };
  }

  /// The interpreter that casts what an op reads, then applies it by `below`.
  public Interpreter over(Interpreter below) { return this == FP32 ? below : new Casting(below, half); }

  private record Casting(Interpreter below, DType half) implements Interpreter {
    @Override public Interpreter base() { return below.base(); }

    @Override public List<Tensor> apply(Op op, List<Tensor> in) {
      var row = row(op, in, half);
      var cast = new ArrayList<Tensor>(in.size());
      for (var t : in) cast.add(cast(t, cast.size() < row.count ? row.first : row.rest));
      return below.apply(row.op, cast);
    }

    private Tensor cast(Tensor t, DType to) {
      return to == null || !t.dtype().floating() || t.dtype() == to ? t
          : below.apply(new Elementwise.Cast(to), List.of(t)).getFirst();
    }
  }

  /// What becomes of an application.
  ///
  /// @param op    what is applied in its place
  /// @param first the type that the first `count` inputs are cast to where they are floating, and `rest` that of the
  ///   others; null: as they are
  private record Row(Op op, DType first, int count, DType rest) {
    static Row all(Op op, DType to) { return new Row(op, to, Integer.MAX_VALUE, to); }
  }

  /// The policy. A record in each line, so that whoever adds one decides.
  private static Row row(Op op, List<Tensor> in, DType half) {
    return switch (op) {
      case Contraction.MatMul _ -> Row.all(op, half);
      // a layer's factors; its bias and what it adds to are F32
      case Fused.Linear _, Fused.Conv2d _ -> new Row(op, half, 2, DType.F32);
      case Attention _ -> new Row(op, half, 3, DType.F32);                                 // q, k, v; the bias is F32
      case Fused.LayerNorm n -> Row.all(half == DType.BF16 ? n.to(half) : n, DType.F32);
      case Fused.Softmax _, Fused.Normalize _, Fused.Norm _, Fused.BatchNorm _, Contrastive.Softmax _,
          Contrastive.Sigmoid _ -> Row.all(op, DType.F32);
      case Fused.AveragePool _, Fused.Patches _ -> Row.all(op, null);
      case Elementwise.Add _, Elementwise.Subtract _, Elementwise.Multiply _, Elementwise.Divide _, Elementwise.Equal _,
          Movement.Concat _ -> Row.all(op, widest(in));
      case Elementwise.Cast _, Elementwise.Affine _, Elementwise.Activate _ -> Row.all(op, null);
      case Elementwise.Exp _, Elementwise.Log _, Elementwise.Sqrt _, Elementwise.Sigmoid _, Elementwise.Tanh _,
          Elementwise.Softplus _, Elementwise.Clamp _ -> Row.all(op, DType.F32);
      case Reduction.Sum _, Reduction.Max _, Indexing.ScatterAdd _ -> Row.all(op, DType.F32);
      case Indexing.Gather _, Collective.AllGather _ -> Row.all(op, null);
      case Collective.ReduceScatter _, Collective.AllReduce _, Collective.BatchNorm _ -> Row.all(op, DType.F32);
      case Movement.Reshape _, Movement.Permute _, Movement.Slice _, Movement.Expand _, Movement.Split _,
          Movement.Copy _, Movement.Pad _, Movement.Fill _ -> Row.all(op, null);
      // backward and updates find the types that the forward left
      case Adjoint _, Update _, Op.Custom _ -> Row.all(op, null);
    };
  }

  /// The type of all, or F32 where they differ.
  private static DType widest(List<Tensor> in) {
    for (var t : in) if (t.dtype() != in.getFirst().dtype()) return DType.F32;
    return null;
  }
}
