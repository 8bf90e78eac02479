package jacquard.kernels.cuda;

import jacquard.kernels.cuda.driver.Driver;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// Copies between Java arrays and the device through page-locked memory, in pieces: while one is under way the other is
/// filled.
final class Staging {
  /// Bytes a piece: large enough for the bus, small enough not to matter.
  private static final int PIECE = 4 << 20;

  private final Driver.Context context;
  private final ByteBuffer[] buffer = new ByteBuffer[2];
  private final Object[] event = new Object[2];
  private int turn;

  Staging(Driver.Context context) { this.context = context; }

  private int next() {
    turn ^= 1;
    if (buffer[turn] == null) {
      buffer[turn] = context.pinned(PIECE);
      event[turn] = context.event();
    } else context.await(event[turn]);                                         // what was copied from it last has gone
    return turn;
  }

  /// The array's first bytes to the device; returns when the array may change.
  synchronized void write(MemorySegment array, long to, long bytes) {
    for (long done = 0; done < bytes; done += PIECE) {
      int n = (int) Math.min(PIECE, bytes - done), i = next();
      MemorySegment.copy(array, done, MemorySegment.ofBuffer(buffer[i]), 0, n);
      context.copyIn(to + done, buffer[i], n);
      context.record(event[i]);
    }
  }

  /// From the device to the array, which has come when this returns.
  synchronized void read(long from, MemorySegment array, long bytes) {
    long[] at = new long[2];
    int[] pending = new int[2];
    for (long done = 0; done < bytes; done += PIECE) {
      int n = (int) Math.min(PIECE, bytes - done), i = turn ^ 1;
      if (pending[i] > 0) take(i, array, at[i], pending[i]);
      i = next();
      context.copyOut(buffer[i], from + done, n);
      context.record(event[i]);
      at[i] = done;
      pending[i] = n;
    }
    for (int k = 1; k <= 2; k++) {
      int i = turn ^ (k & 1);
      if (pending[i] > 0) take(i, array, at[i], pending[i]);
    }
  }

  private void take(int i, MemorySegment array, long at, int n) {
    context.await(event[i]);
    MemorySegment.copy(MemorySegment.ofBuffer(buffer[i]), 0, array, at, n);
  }
}
