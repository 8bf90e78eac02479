package jacquard.kernels.cuda;

import jacquard.kernels.cuda.driver.Driver;
import jacquard.tensor.Sequences;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;
import java.lang.foreign.MemorySegment;

/// What attention kernels must know of sequences and ranges, on the device: tiles of rows, ranges, offsets. A tower
/// makes one pair of them a step and uses it in every layer, so the last few are kept. All work is on one stream:
/// memory of one that gives way may be written at once.
public final class RowTables {
  /// Rows of a tile and ints that describe one: `RowTile` of `attention.cuh`.
  public static final int TILE = 64, DESCRIPTION = 8;
  private static final int KEPT = 8;

  /// Addresses of the tables.
  public record Table(long queryTiles, int queryTileCount, long keyTiles, int keyTileCount, long from, long to,
      long queryOffsets, long keyOffsets) {}

  private record Kept(Sequences queries, Sequences keys, Ranges ranges, Table table) {}

  private final Driver.Context context;
  private final Staging staging;
  private final Kept[] kept = new Kept[KEPT];
  private final long[] address = new long[KEPT], bytes = new long[KEPT];
  private int next;

  RowTables(Driver.Context context, Staging staging) {
    this.context = context;
    this.staging = staging;
  }

  public Table of(CudaDevice device, Attention op) {
    for (var k : kept)
      if (k != null && k.queries == op.queries() && k.keys == op.keys() && k.ranges == op.ranges()) return k.table;
    int[] queryTiles = queryTiles(op), keyTiles = keyTiles(op);
    int[][] parts = {queryTiles, keyTiles, op.ranges().from(), op.ranges().to(), op.queries().offsets(),
        op.keys().offsets()};
    int size = 0;
    for (var p : parts) size += p.length;
    int[] all = new int[size];
    long[] at = new long[parts.length];
    for (int i = 0, to = 0; i < parts.length; to += parts[i++].length) {
      System.arraycopy(parts[i], 0, all, to, parts[i].length);
      at[i] = 4L * to;
    }
    int slot = next;
    next = (next + 1) % KEPT;
    kept[slot] = null;
    if (bytes[slot] < 4L * size) {
      if (address[slot] != 0) context.free(address[slot]);
      bytes[slot] = 4L * size;
      address[slot] = context.allocate(bytes[slot]);
    }
    long here = address[slot];
    // no memory: the pool may have some, or says what is missing
    if (here == 0) {
      bytes[slot] = 0;
      here = device.temporary(4L * size);
    }
    staging.write(MemorySegment.ofArray(all), here, 4L * size);
    var table = new Table(here + at[0], queryTiles.length / DESCRIPTION, here + at[1], keyTiles.length / DESCRIPTION,
        here + at[2], here + at[3], here + at[4], here + at[5]);
    if (address[slot] != 0) kept[slot] = new Kept(op.queries(), op.keys(), op.ranges(), table);
    return table;
  }

  private static int tiles(Sequences s) {
    int n = 0;
    for (int i = 0; i < s.count(); i++) n += Math.ceilDiv(s.length(i), TILE);
    return n;
  }

  /// For each tile of queries: the keys that any of them sees, and those that all see.
  private static int[] queryTiles(Attention op) {
    int[] r = new int[tiles(op.queries()) * DESCRIPTION];
    int[] from = op.ranges().from();
    int[] to = op.ranges().to();
    int at = 0;
    for (int s = 0; s < op.queries().count(); s++)
      for (int first = op.queries().from(s); first < op.queries().to(s); first += TILE) {
        int count = Math.min(TILE, op.queries().to(s) - first);
        int low = Integer.MAX_VALUE;
        int high = 0;
        int innerLow = 0;
        int innerHigh = Integer.MAX_VALUE;
        for (int q = first; q < first + count; q++) {
          innerLow = Math.max(innerLow, from[q]);
          innerHigh = Math.min(innerHigh, to[q]);
          if (from[q] >= to[q]) continue;
          low = Math.min(low, from[q]);
          high = Math.max(high, to[q]);
        }
        at = put(r, at, first, count, Math.min(low, high), high, innerLow, innerHigh, op.queries().from(s),
            op.keys().from(s));
      }
    return r;
  }

  /// For each tile of keys: the queries from the first that sees any of them to the last.
  private static int[] keyTiles(Attention op) {
    int[] r = new int[tiles(op.keys()) * DESCRIPTION];
    int[] from = op.ranges().from();
    int[] to = op.ranges().to();
    int at = 0;
    for (int s = 0; s < op.keys().count(); s++)
      for (int first = op.keys().from(s); first < op.keys().to(s); first += TILE) {
        int count = Math.min(TILE, op.keys().to(s) - first), low = Integer.MAX_VALUE, high = 0;
        for (int q = op.queries().from(s); q < op.queries().to(s); q++)
          if (Math.max(from[q], first) < Math.min(to[q], first + count)) {
            low = Math.min(low, q);
            high = q + 1;
          }
        at = put(r, at, first, count, Math.min(low, high), high, 0, 0, op.queries().from(s), op.keys().from(s));
      }
    return r;
  }

  private static int put(int[] r, int at, int... values) {
    System.arraycopy(values, 0, r, at, DESCRIPTION);
    return at + DESCRIPTION;
  }
}
