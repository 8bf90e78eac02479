package jacquard.kernels.cuda;

import jacquard.kernels.cuda.driver.Driver;
import jacquard.kernels.cuda.driver.Installed;
import jacquard.tensor.Tensor;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/// One launch being put together: the kernel, its argument struct field by field, the grid. Each field is checked
/// against the struct's layout as the C++ compiler found it, so that what Java packs is what the kernel reads:
///
/// ```java
/// device.call("fill_f32").pointer(y).i64(n).f32(value).over(n, 4);
/// ```
///
/// A device has one of these, and uses it under its lock.
public final class Call {
  private static final class Kernel {
    final String name, layout;
    final Object function;
    final int threads, bytes, row;
    int shared = SHARED_WITHOUT_ASKING;                                        // bytes that its launches may ask for

    Kernel(String name, Object function, Listed l) {
      this.name = name;
      this.function = function;
      threads = l.threads;
      bytes = l.bytes;
      layout = l.layout;
      row = l.row;
    }
  }
  private record Listed(String module, int bytes, int threads, String layout, int row) {}
  private static final int SHARED_WITHOUT_ASKING = 48 << 10;
  private static final String BUILD = "Where the build is older than the sources, run cuda-src/build, then build again";

  private static final Map<String, Listed> LIST = new HashMap<>();

  private final Installed installed;
  private final Driver.Context context;
  private final ByteBuffer arguments;
  private final int multiprocessors;
  private final Map<String, Object> modules = new HashMap<>();
  private final Map<String, Kernel> kernels = new HashMap<>();
  private Kernel kernel;
  private String last = "none";
  private int field, at;
  private long launches;

  Call(Installed installed, Driver.Context context, int multiprocessors) {
    this.installed = installed;
    this.context = context;
    this.multiprocessors = multiprocessors;
    this.arguments = context.arguments();
  }

  private static synchronized Listed listed(String name) {
    if (LIST.isEmpty())
      for (var line : Installed.kernels().split("\n")) {
        var w = line.split(" ");
        if (w.length != 6)
          throw new IllegalStateException(
              "resource jacquard/cuda/kernels.txt is of another build, of kernel %s it says: %s. %s".formatted(w[0],
              line, BUILD));
        LIST.put(w[0], new Listed(w[1], Integer.parseInt(w[2]), Integer.parseInt(w[3]), w[4], Integer.parseInt(w[5])));
      }
    return LIST.get(name);
  }

  /// Begins a launch. There is one struct of arguments, so that a launch begun among another's arguments would
  /// overwrite them: that is refused.
  public Call of(String name) {
    if (kernel != null)
      throw new IllegalStateException(
          ("kernel %s is called while the arguments of %s are put together (%d of %d fields): make copies and tables "
          + "before").formatted(name, kernel.name, field, kernel.layout.length()));
    var found = kernels.get(name);
    if (found == null) kernels.put(name, found = load(name));
    kernel = found;
    field = at = 0;
    return this;
  }

  /// Forgets a launch that was begun and will not be made.
  void abandon() { kernel = null; }

  private Kernel load(String name) {
    var l = listed(name);
    if (l == null)
      throw new IllegalStateException("no kernel " + name + " was built: see cuda-src/kernels, and run cuda-src/build");
    var module = modules.computeIfAbsent(l.module, m -> context.module(installed.image(m)));
    return new Kernel(name, context.function(module, name), l);
  }

  private int place(char type, int bytes) {
    if (field >= kernel.layout.length() || kernel.layout.charAt(field) != type)
      throw wrong(("kernel %s, field %d: packed as %c up to byte %d, where the struct that was built has %d bytes, %s. "
          + "%s").formatted(kernel.name, field, type, at + bytes, kernel.bytes, kernel.layout, BUILD));
    field++;
    int here = (at + bytes - 1) & -bytes;
    at = here + bytes;
    return here;
  }

  private IllegalStateException wrong(String why) {
    abandon();
    return new IllegalStateException(why);
  }

  /// A device address, or 0 for null.
  public Call pointer(long address) {
    arguments.putLong(place('p', 8), address);
    return this;
  }

  /// A table in device memory whose rows have so many bytes.
  public Call table(long address, int row) {
    if (row != kernel.row)
      throw wrong("kernel %s: a row of its table has %d bytes here, %d in the kernel that was built. %s".formatted(
          kernel.name, row, kernel.row, BUILD));
    return pointer(address);
  }

  /// Where the first element of a tensor lies; its strides are another matter.
  public Call pointer(Tensor t) { return pointer(CudaDevice.address(t)); }

  public Call i32(int v) {
    arguments.putInt(place('i', 4), v);
    return this;
  }

  /// An `Array<int, n>`: what is missing is 0.
  public Call i32s(int n, int... v) {
    for (int i = 0; i < n; i++) i32(i < v.length ? v[i] : 0);
    return this;
  }

  /// An `Array<T*, n>`: what is missing is null.
  public Call pointers(int n, long... v) {
    for (int i = 0; i < n; i++) pointer(i < v.length ? v[i] : 0);
    return this;
  }

  public Call i64(long v) {
    arguments.putLong(place('l', 8), v);
    return this;
  }

  public Call f32(float v) {
    arguments.putFloat(place('f', 4), v);
    return this;
  }

  /// Launches over n elements, `each` of them a thread, for kernels that stride over the grid.
  public void over(long n, int each) {
    if (n == 0) { abandon(); return; }
    long per = (long) kernel.threads * each;
    launch((int) Math.min((n + per - 1) / per, 32L * multiprocessors), 1, 1, kernel.threads, 0);
  }

  /// Launches blocks of as many threads as the kernel is bound to.
  public void blocks(int x, int y, int z, int shared) { launch(x, y, z, kernel.threads, shared); }

  public void launch(int x, int y, int z, int threads, int shared) {
    if (field != kernel.layout.length()) 
      throw wrong("kernel %s: %d of %d fields are packed, %d bytes here, %d in the kernel that was built. %s".formatted(
          kernel.name, field, kernel.layout.length(), at, kernel.bytes, BUILD));
    var mine = kernel;
    kernel = null;
    if (x == 0 || y == 0 || z == 0) return;
    if (shared > mine.shared) {
      context.allowShared(mine.function, shared);
      mine.shared = shared;
    }
    last = mine.name;
    launches++;
    context.launch(mine.function, x, y, z, threads, shared);
  }

  /// The kernel launched last.
  String last() { return last; }

  long launches() { return launches; }

  /// The kernels asked for so far.
  Set<String> names() { return kernels.keySet(); }
}
