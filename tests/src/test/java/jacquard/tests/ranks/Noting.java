package jacquard.tests.ranks;

import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Op;
import java.util.List;

/// A CPU that notes the most bytes that tensors held; as a GPU is, apart from the memory of the host.
final class Noting implements Device {
  private final Device cpu;
  private long bytes, peak;

  Noting(int rank) { cpu = Device.named("cpu:" + rank); }

  long bytes() { return bytes; }
  long peak() { return peak; }
  /// Begins to note anew.
  void again() { peak = bytes; }

  @Override public String name() { return cpu.name(); }
  @Override public int rank() { return cpu.rank(); }
  @Override public Object allocate(DType dtype, long size) {
    peak = Math.max(peak, bytes += size * dtype.bytes());
    return cpu.allocate(dtype, size);
  }
  @Override public void free(DType dtype, long size, Object block) {
    bytes -= size * dtype.bytes();
    cpu.free(dtype, size, block);
  }
  @Override public void run(Op op, List<Tensor> in, List<Tensor> out) { cpu.run(op, in, out); }
  @Override public void write(Object array, DType dtype, Object block, long size) {
    cpu.write(array, dtype, block, size);
  }
  @Override public Object read(Tensor t) { return cpu.read(t); }
  @Override public void synchronize() {}
  @Override public Live live() { return cpu.live(); }
  @Override public void close() {}
}
