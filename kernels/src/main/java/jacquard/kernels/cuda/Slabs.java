package jacquard.kernels.cuda;

import jacquard.kernels.cuda.driver.Driver;
import jacquard.tensor.Device;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/// Device memory by size class. Small blocks are cut from slabs and stay cut; large ones are allocations of their own,
/// kept when they come back and given up when memory runs short. All work of a device is on one stream, so a block may
/// be used again at once.
///
/// With `exact`, each block is an allocation of its own size and ends when it is freed: then the emulation's memory
/// check sees its bounds.
public final class Slabs {
  /// What is asked of the driver for small blocks, and the largest block that is cut from it.
  private static final long SLAB = 32L << 20, SMALL = 4L << 20;
  private static final long ALIGNMENT = 256;

  private final Driver.Context context;
  private final String device;
  private final boolean exact;
  private final Map<Long, ArrayDeque<Long>> small = new HashMap<>();
  private final TreeMap<Long, ArrayDeque<Long>> large = new TreeMap<>();
  private long slab, slabLeft;
  private long blocks, bytes, reserved, kept;

  public Slabs(Driver.Context context, String device, boolean exact) {
    this.context = context;
    this.device = device;
    this.exact = exact;
  }

  /// The class of a size: a quarter of a power of two, at least one alignment.
  private long size(long bytes) {
    if (exact) return Math.max(1, bytes);
    long step = Math.max(ALIGNMENT, Long.highestOneBit(Math.max(1, bytes - 1)) >> 2);
    return Math.max(ALIGNMENT, (bytes + step - 1) / step * step);
  }

  /// The address of a block of at least so many bytes, 256-byte aligned.
  public synchronized long allocate(long wanted) {
    long size = size(wanted);
    long address = exact ? ask(size, wanted) : size <= SMALL ? cut(size, wanted) : whole(size, wanted);
    blocks++;
    bytes += size;
    return address;
  }

  public synchronized void free(long address, long wanted) {
    long size = size(wanted);
    blocks--;
    bytes -= size;
    if (exact) {
      reserved -= size;
      context.free(address);
    } else if (size <= SMALL) small.computeIfAbsent(size, _ -> new ArrayDeque<>()).push(address);
    else {
      kept += size;
      large.computeIfAbsent(size, _ -> new ArrayDeque<>()).push(address);
    }
  }

  private long cut(long size, long wanted) {
    var free = small.get(size);
    if (free != null && !free.isEmpty()) return free.pop();
    if (slabLeft < size) {
      // the rest of the old slab, in powers of two
      for (long piece = Long.highestOneBit(Math.max(1, slabLeft)); slabLeft >= ALIGNMENT; piece >>= 1)
        if (piece <= slabLeft && piece >= ALIGNMENT) {
          small.computeIfAbsent(piece, _ -> new ArrayDeque<>()).push(slab);
          slab += piece;
          slabLeft -= piece;
        }
      slab = ask(SLAB, wanted);
      slabLeft = SLAB;
    }
    long address = slab;
    slab += size;
    slabLeft -= size;
    return address;
  }

  /// A kept block of this class or one not much larger would waste memory for ever: only the class itself fits.
  private long whole(long size, long wanted) {
    var free = large.get(size);
    if (free == null || free.isEmpty()) return ask(size, wanted);
    kept -= size;
    return free.pop();
  }

  /// Memory of the driver, that of kept blocks if need be.
  synchronized long ask(long size, long wanted) {
    long address = context.allocate(size);
    if (address == 0) {
      trim();
      address = context.allocate(size);
    }
    if (address == 0)
      throw new OutOfMemoryError(("%s: asked %,d bytes, held %,d by tensors in %,d of the device's memory, free %,d of "
          + "%,d; use a smaller batch, or accumulate over smaller ones")
          .formatted(device, wanted, bytes, reserved, context.freeBytes(), context.totalBytes()));
    reserved += size;
    return address;
  }

  /// Gives the kept blocks back to the driver, once the stream has done with them.
  private void trim() {
    context.synchronize();
    large.forEach((size, addresses) -> {
      for (long a : addresses) {
        context.free(a);
        reserved -= size;
      }
    });
    large.clear();
    kept = 0;
  }

  public synchronized Device.Live live() { return new Device.Live(blocks, bytes); }
}
