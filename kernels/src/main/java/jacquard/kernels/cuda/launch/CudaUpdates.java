package jacquard.kernels.cuda.launch;

import jacquard.kernels.cuda.Allocation;
import jacquard.kernels.cuda.CudaDevice;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/// Updates and the norm of gradients, all tensors in one launch by way of a table: `cuda-src/kernels/updates.cu`.
public final class CudaUpdates {
  /// Elements a block takes; bytes of a row of the table; shared memory of the norm's two kernels.
  private static final int CHUNK = 4096;
  private static final int ROW = 56;
  private static final int FOLD = 32 * Float.BYTES;
  private static final int TOTAL = 256 * Double.BYTES;

  private CudaUpdates() {}

  /// A row of the table, in elements of FP32; 0 for what an update has not. `half`: where the parameter goes in BF16
  /// too.
  private record Row(long parameter, long first, long second, long gradient, long half, long size, float decay) {
    static Row of(CudaDevice device, Tensor parameter, Tensor first, Tensor second, Tensor gradient, double decay) {
      var half = parameter.storage().halfToo();
      long to = half == null ? 0 : ((Allocation) half.block()).address() + 2L * parameter.layout().offset();
      return new Row(CudaDevice.written(parameter), CudaDevice.written(first),
          second == null ? 0 : CudaDevice.written(second), device.dense(gradient), to, parameter.shape().size(),
          (float) decay);
    }
  }

  private record Table(long address, int rows, int blocks) {
    static Table of(CudaDevice device, List<Row> rows) {
      var b = ByteBuffer.allocate(ROW * rows.size()).order(ByteOrder.nativeOrder());
      int block = 0;
      for (var r : rows) {
        b.putLong(r.parameter).putLong(r.first).putLong(r.second).putLong(r.gradient).putLong(r.half).putLong(r.size)
            .putInt(block).putFloat(r.decay);
        block = Math.addExact(block, (int) Math.ceilDiv(r.size, (long) CHUNK));
      }
      return new Table(device.table(b.array()), rows.size(), block);
    }
  }

  public static void run(CudaDevice device, Update op, List<Tensor> in) {
    switch (op) {
      case Update.Together t -> together(device, t, in);
      case Update.Blend(var share, var scale) -> {
        long n = in.getFirst().shape().size(), value = device.dense(in.get(1));
        device.call("blend").pointer(CudaDevice.written(in.get(0))).pointer(value).i64(n).f32(1 - share)
            .f32(share * scale).over(n, 1);
      }
      case Update.AdamW _, Update.NAdamW _, Update.Descent _ -> together(device, new Update.Together(List.of(op)), in);
    }
  }

  /// One launch for all updates that differ in their decay alone.
  private static void together(CudaDevice device, Update.Together op, List<Tensor> in) {
    var alike = new LinkedHashMap<Update, List<Row>>();
    op.each(in, (u, t) -> {
      long n = t.getFirst().shape().size();
      switch (u) {
        case Update.AdamW a ->
            row(alike, n, new Update.AdamW(a.rate(), a.beta1(), a.beta2(), a.epsilon(), 0, a.step(), a.factor()),
            Row.of(device, t.get(0), t.get(1), t.get(2), t.get(3), 1 - a.rate() * a.decay()));
        case Update.NAdamW a -> row(alike, n, new Update.NAdamW(a.rate(), a.beta1(), a.beta2(), a.epsilon(), 0,
            a.step(), a.ofGradient(), a.ofMoment(), a.factor()),
            Row.of(device, t.get(0), t.get(1), t.get(2), t.get(3), 1 - a.rate() * a.decay()));
        case Update.Descent d -> row(alike, n, new Update.Descent(d.rate(), d.momentum(), d.nesterov(), 0, d.factor()),
            Row.of(device, t.get(0), t.get(1), null, t.get(2), d.decay()));
        case Update.Blend b -> run(device, b, t);
        case Update.Together g -> together(device, g, t);
      }
    });
    alike.forEach((u, rows) -> launch(device, u, Table.of(device, rows)));
  }

  private static void row(LinkedHashMap<Update, List<Row>> alike, long n, Update key, Row row) {
    if (n > 0) alike.computeIfAbsent(key, _ -> new ArrayList<>()).add(row);
  }

  private static void launch(CudaDevice device, Update op, Table t) {
    switch (op) {
      case Update.AdamW a -> adam(device, t, a.beta1(), a.beta2(), 0,
          a.rate() / (1 - StrictMath.pow(a.beta1(), a.step())), a.step(), a.epsilon(), a.factor());
      case Update.NAdamW a -> adam(device, t, a.beta1(), a.beta2(), a.rate() * a.ofGradient(), a.rate() * a.ofMoment(),
          a.step(), a.epsilon(), a.factor());
      case Update.Descent d -> device.call("descent").table(t.address, ROW).i32(t.rows).f32((float) d.rate())
          .f32((float) d.momentum())
          .f32(d.nesterov() ? (float) d.momentum() : 1).f32(d.nesterov() ? 1 : 0).f32(d.factor())
              .blocks(t.blocks, 1, 1, 0);
      case Update.Blend _, Update.Together _ -> throw new IllegalStateException("no table for " + op);
    }
  }

  /// @param a,b what the step takes of the gradient and of the first moment
  private static void adam(CudaDevice device, Table t, double beta1, double beta2, double a, double b, long step,
      double epsilon, float factor) {
    device.call("adamw").table(t.address, ROW).i32(t.rows).f32((float) beta2).f32((float) (1 - beta1))
        .f32((float) (1 - beta2)).f32((float) a).f32((float) b)
        .f32((float) (1 / StrictMath.sqrt(1 - StrictMath.pow(beta2, step)))).f32((float) epsilon).f32(factor)
            .blocks(t.blocks, 1, 1, 0);
  }

  public static void norm(CudaDevice device, List<Tensor> in, Tensor out) {
    var rows = new ArrayList<Row>();
    for (var t : in) if (t.shape().size() > 0) rows.add(new Row(0, 0, 0, device.dense(t), 0, t.shape().size(), 0));
    if (rows.isEmpty()) { device.context().clear(CudaDevice.address(out), Float.BYTES); return; }
    var t = Table.of(device, rows);
    long partial = device.temporary((long) Float.BYTES * t.blocks);
    device.call("norm_pieces").table(t.address, ROW).pointer(partial).pointer(out).i32(t.rows).i32(t.blocks)
        .blocks(t.blocks, 1, 1, FOLD);
    device.call("norm_total").table(t.address, ROW).pointer(partial).pointer(out).i32(t.rows).i32(t.blocks)
        .blocks(1, 1, 1, TOTAL);
  }
}
