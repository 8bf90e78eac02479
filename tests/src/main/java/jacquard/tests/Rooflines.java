package jacquard.tests;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Adjoint;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Contraction;
import jacquard.tensor.op.Elementwise;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Indexing;
import jacquard.tensor.op.Op;
import jacquard.tensor.op.Ranges;
import jacquard.tensor.op.Reduction;
import java.util.List;
import java.util.Locale;

/// What share of an H100's roofline the kernels reach at the shapes of a ViT-L/14 of batch 64: lines `kernel<TAB>percent` for the table of
/// `cuda-src/README.md`. The roofline of an op is the longer of its FLOPs at peak and its bytes at peak ([Work]). With the argument `emulated` each op runs once
/// at a small size and nothing is measured: a rehearsal.
public final class Rooflines {
  /// FLOP/s of BF16 tensor cores and of FP32, and bytes a second: what the best libraries reach on an H100, not the data sheet.
  private static final double BF16 = 798e12, F32 = 60e12, MEMORY = 3.0e12;
  private static final int WARM = 10, RUNS = 50;

  private record Row(Op op, boolean tensorCores, List<Type> in) {}

  private Rooflines() {}

  public static void main(String[] args) {
    boolean rehearsal = args.length > 0 && args[0].equals("emulated");
    var device = (CudaDevice) Device.named("cuda");
    int images = rehearsal ? 1 : 64, rows = (rehearsal ? 5 : 257) * images, width = rehearsal ? 64 : 1024, heads = width / 64;
    Type x = new Type(DType.F32, Shape.of(rows, width)), h = new Type(DType.BF16, x.shape()), vector = Type.f32(width), column = Type.f32(rows);
    var s = Sequences.equal(images, rows / images);
    var attention = new Attention(heads, 0.125f, s, s, Ranges.full(s, s));
    int side = rehearsal ? 28 : 224, map = rehearsal ? 4 : 56;
    for (int head : new int[] {72, 80, 88}) {
      var wide = new Type(DType.BF16, Shape.of(rows, heads * head));
      measure(device, new Row(attention, true, List.of(wide, wide, wide)), rehearsal);
    }
    for (var row : List.of(
        new Row(new Fused.Linear(Activation.QUICK_GELU, false, false), true, List.of(h, new Type(DType.BF16, Shape.of(4 * width, width)))),
        new Row(new Contraction.MatMul(false, false), true, List.of(h, new Type(DType.BF16, Shape.of(width, width)))),
        new Row(new Contraction.MatMul(true, false), true, List.of(h, h)),
        new Row(new Fused.Linear(Activation.NONE, false, false), false, List.of(x, new Type(DType.F32, Shape.of(width, width)))),
        new Row(attention, true, List.of(h, h, h)),
        new Row(new Fused.LayerNorm(1e-5f, true), false, List.of(x, vector, vector)),
        new Row(new Adjoint.LayerNorm(), false, List.of(x, vector, column, column, x)),
        new Row(new Fused.Softmax(), false, List.of(x)),
        new Row(new Fused.Normalize(1e-12f), false, List.of(x)),
        new Row(new Elementwise.Add(), false, List.of(h, h)),
        new Row(new Elementwise.Activate(Activation.QUICK_GELU), false, List.of(h)),
        new Row(new Elementwise.Cast(DType.BF16), false, List.of(x)),
        new Row(new Elementwise.Cast(DType.F32), false, List.of(h)),
        new Row(new Elementwise.Add(), false, List.of(x, x)),
        new Row(new Elementwise.Activate(Activation.QUICK_GELU), false, List.of(x)),
        new Row(new Adjoint.Activate(Activation.QUICK_GELU), false, List.of(h, h)),
        new Row(new Adjoint.Activate(Activation.QUICK_GELU), false, List.of(x, x)),
        new Row(new Adjoint.Softmax(), false, List.of(x, x)),
        new Row(new Adjoint.Normalize(1e-12f), false, List.of(x, x)),
        new Row(new Contraction.MatMul(false, false), false, List.of(x, new Type(DType.F32, Shape.of(width, width)))),
        new Row(new Fused.Patches(new Grid(side, side), 14, List.of(0.5f, 0.5f, 0.5f), List.of(0.5f, 0.5f, 0.5f)), false, List.of(new Type(DType.U8, Shape.of(images * side * side, 3)))),
        new Row(new Fused.AveragePool(new Grid(map, map), 2), false, List.of(Type.f32(images * map * map, 256))),
        new Row(new Indexing.Gather(), false, List.of(h, new Type(DType.I32, Shape.of(rows)))),
        new Row(new Reduction.Sum(new int[] {0}, false), false, List.of(x)),
        new Row(new Reduction.Sum(new int[] {1}, false), false, List.of(x)))) measure(device, row, rehearsal);
  }

  private static void measure(CudaDevice device, Row row, boolean rehearsal) {
    try (var _ = Scope.open(device)) {
      var in = row.in.stream().map(t -> Tensor.full(t.shape(), 0.01f).cast(t.dtype())).toList();
      var out = row.op.infer(row.in).stream().map(Tensor::empty).toList();
      for (int i = 0; i < (rehearsal ? 1 : WARM); i++) device.run(row.op, in, out);
      device.synchronize();
      long before = device.launches();
      device.run(row.op, in, out);
      long launches = device.launches() - before;
      var kernel = launches == 1 ? device.lastKernel() : "# " + row.op.getClass().getSimpleName() + ", " + launches + " kernels";    // no row of the table: its time is not one kernel's
      if (rehearsal) {
        System.err.println(row.op.getClass().getSimpleName() + ": " + kernel);
        return;
      }
      double ms = device.timed(() -> { for (int i = 0; i < RUNS; i++) device.run(row.op, in, out); }) / RUNS;
      var work = Work.of(row.op, row.in);
      double least = Math.max(work.flops() / (row.tensorCores ? BF16 : F32), work.bytes() / MEMORY);
      System.out.printf(Locale.ROOT, "%s\t%.0f%n", kernel, 100 * least / (ms * 1e-3));
    } catch (UnsupportedOperationException e) {
      System.err.println(e.getMessage());
    }
  }
}
