package jacquard.tests.cuda;

import jacquard.kernels.cuda.driver.Blas;
import jacquard.kernels.cuda.driver.Dnn;
import jacquard.kernels.cuda.driver.Driver;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// A driver of a GPU that has all the memory one asks for, keeps nothing, and does nothing but count what it is asked
/// to run: for counts of launches at sizes that no test could compute. What is read back is 0; each launch lasts
/// [#LAUNCH] milliseconds.
public final class CountingDriver implements Driver, Driver.Context {
  public static final float LAUNCH = 1f / 128;
  private final Map<String, Integer> counts = new TreeMap<>();
  private long launches;
  private final ByteBuffer arguments = ByteBuffer.allocateDirect(4096).order(ByteOrder.nativeOrder());
  private final Map<Long, Long> blocks = new TreeMap<>();
  private long next = 1L << 40, held, peak;

  /// Name of a kernel, `copy` or `clear` → how often it was asked for since the last [#reset].
  public Map<String, Integer> counts() { return counts; }

  public int total() { return counts.values().stream().mapToInt(i -> i).sum(); }

  public long held() { return held; }

  /// The most bytes that were held at once since the last [#reset].
  public long peak() { return peak; }

  public void reset() {
    counts.clear();
    peak = held;
  }

  private void count(String what) { counts.merge(what, 1, Integer::sum); }

  @Override public int version() { return 13000; }
  @Override public int devices() { return 1; }
  @Override public String name(int device) { return "counting"; }
  @Override public int attribute(int device, int attribute) { return attribute == MULTIPROCESSORS ? 132 : 9; }
  @Override public Context open(int device) { return this; }

  @Override public void enter() {}
  @Override public long stream() { return 1; }
  @Override public long allocate(long bytes) {
    long address = next;
    next += (bytes + 255) & -256;
    blocks.put(address, bytes);
    peak = Math.max(peak, held += bytes);
    return address;
  }
  @Override public void free(long address) { held -= blocks.remove(address); }
  @Override public long freeBytes() { return Long.MAX_VALUE; }
  @Override public long totalBytes() { return Long.MAX_VALUE; }
  @Override public ByteBuffer pinned(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }
  @Override public long address(ByteBuffer pinned) { return 1; }
  @Override public Object module(byte[] image) { return this; }
  @Override public Object function(Object module, String name) { return name; }
  @Override public void allowShared(Object function, int bytes) {}
  @Override public ByteBuffer arguments() { return arguments; }
  @Override public void launch(Object function, int gridX, int gridY, int gridZ, int threads, int shared) {
    count((String) function);
    launches++;
  }
  @Override public void copyIn(long to, ByteBuffer pinned, int bytes) {}
  @Override public void copyOut(ByteBuffer pinned, long from, int bytes) {
    for (int i = 0; i < bytes; i++) pinned.put(i, (byte) 0);
  }
  @Override public void copy(long to, long from, long bytes) { count("copy"); }
  @Override public void clear(long to, long bytes) { count("clear"); }
  @Override public Object event() { return new long[1]; }
  @Override public void record(Object event) { ((long[]) event)[0] = launches; }
  @Override public void await(Object event) {}
  @Override public float between(Object from, Object to) { return (((long[]) to)[0] - ((long[]) from)[0]) * LAUNCH; }
  @Override public void synchronize() {}
  @Override public void reach(Context other) {}
  @Override public Blas blas() { throw new IllegalStateException("no library here"); }
  @Override public Dnn dnn() { throw new IllegalStateException("no library here"); }

  @Override public String toString() {
    return total() + " in all: " + counts.entrySet().stream().sorted((a, b) -> b.getValue() - a.getValue()).map(e ->
        e.getValue() + " " + e.getKey()).collect(Collectors.joining(", "));
  }
}
