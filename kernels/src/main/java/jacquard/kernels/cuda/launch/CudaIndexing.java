package jacquard.kernels.cuda.launch;

import static jacquard.kernels.cuda.CudaDevice.suffix;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Indexing;

/// Rows by number: `cuda-src/kernels/indexing.cu`. An index out of range is found by the kernel and told at the
/// device's next read.
public final class CudaIndexing {
  /// As many rows are scattered without a sort: a warp looks through their numbers in eight steps.
  private static final int FEW = 256;
  /// Rows a block of the sort takes, digits of a pass, bits of a digit; threads of the scan; rows a block sums, and
  /// columns a warp does.
  private static final int TILE = 2048, DIGITS = 256, BITS = 8, SCAN_THREADS = 1024, SEGMENTS = 8, WARP = 32;

  private CudaIndexing() {}

  public static void run(CudaDevice device, Indexing op, Tensor x, Tensor index, Tensor y) {
    switch (op) {
      case Indexing.Gather _     -> gather(device, x, device.dense(index), y);
      case Indexing.ScatterAdd _ -> scatter(device, x, device.dense(index), y);
    }
  }

  private static void gather(CudaDevice device, Tensor x, long index, Tensor y) {
    int width = y.dim(1), size = x.dtype().bytes(), rows = y.dim(0);
    boolean inRows = x.layout().strides()[1] == 1 || width == 1;
    long from = inRows ? CudaDevice.address(x) : device.dense(x), to = CudaDevice.address(y);
    int pitch = inRows ? x.layout().strides()[0] : width, unit = 16;
    while ((width * size | pitch * size | from | to) % unit != 0) unit /= unit == 16 ? 4 : 2;
    device.call("gather_" + unit).pointer(from).pointer(index).pointer(to).pointer(device.bad()).i32(rows).i32(x.dim(0))
        .i32(width * size / unit).i32(pitch * size / unit)
        .over((long) rows * width * size / unit, 1);
  }

  private static void scatter(CudaDevice device, Tensor values, long index, Tensor y) {
    int n = values.dim(0), rows = y.dim(0), width = y.dim(1);
    if (rows == 0 || width == 0) return;
    if (n == 0) { device.context().clear(CudaDevice.address(y), y.shape().size() * y.dtype().bytes()); return; }
    boolean inRows = values.layout().strides()[1] == 1 || width == 1;
    long x = inRows ? CudaDevice.address(values) : device.dense(values);
    int pitch = inRows ? values.layout().strides()[0] : width, pack = 4 * y.dtype().bytes();
    boolean packed = (width | pitch) % 4 == 0 && (x | CudaDevice.address(y)) % pack == 0;
    var type = suffix(y.dtype()) + (packed ? "x4" : "");
    int across = Math.ceilDiv(width, WARP * (packed ? 4 : 1)), down = Math.ceilDiv(rows, SEGMENTS);
    if (n <= FEW) {
      device.call("scatter_few" + type).pointer(x).pointer(index).pointer(y).pointer(device.bad()).i32(n).i32(rows)
          .i32(width).i32(pitch).blocks(across, down, 1, 0);
      return;
    }
    int blocks = Math.ceilDiv(n, TILE);
    long counts = device.temporary(4L * DIGITS * blocks), keys = index, from = 0;
    // keys, then the rows they came from
    long[] to = {device.temporary(8L * n), rows < DIGITS ? 0 : device.temporary(8L * n)};
    for (int shift = 0, turn = 0; shift < Integer.SIZE - Integer.numberOfLeadingZeros(rows); shift += BITS, turn ^= 1) {
      sort(device, "sort_count", keys, from, counts, to[turn], n, blocks, shift, rows);
      device.call("sort_scan").pointer(counts).i32(DIGITS * blocks).launch(1, 1, 1, SCAN_THREADS, 4 * WARP);
      sort(device, "sort_place", keys, from, counts, to[turn], n, blocks, shift, rows);
      keys = to[turn];
      from = keys + 4L * n;
    }
    long begin = device.temporary(4L * (rows + 1));
    device.call("segment_begin").pointer(keys).pointer(begin).i32(n).i32(rows)
        .blocks(Math.ceilDiv(rows + 1, 256), 1, 1, 0);
    device.call("segment_sum" + type).pointer(x).pointer(begin).pointer(from).pointer(y).i32(rows).i32(width).i32(pitch)
        .blocks(across, down, 1, 4 * SEGMENTS * WARP * 4);
  }

  private static void sort(CudaDevice device, String kernel, long keys, long from, long counts, long to, int n,
      int blocks, int shift, int rows) {
    device.call(kernel).pointer(keys).pointer(from).pointer(counts).pointer(to).pointer(to + 4L * n)
        .pointer(device.bad()).i32(n).i32(blocks).i32(shift).i32(rows)
        .blocks(blocks, 1, 1, 4 * SEGMENTS * DIGITS);
  }
}
