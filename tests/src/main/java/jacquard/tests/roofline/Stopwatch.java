package jacquard.tests.roofline;

import jacquard.kernels.cuda.driver.Blas;
import jacquard.kernels.cuda.driver.Dnn;
import jacquard.kernels.cuda.driver.Driver;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/// A driver beside another that times each launch by itself, between two events on the stream, while its context is
/// asked to. A kernel that is over before events are exact (half a microsecond) is launched several times on the same
/// arguments.
public final class Stopwatch implements Driver {
  private final Driver driver;
  private final Map<Integer, Timed> opened = new HashMap<>();

  public Stopwatch(Driver driver) { this.driver = driver; }

  /// The context of a device that was opened through this.
  Timed context(int device) { return opened.get(device); }

  @Override public int version() { return driver.version(); }
  @Override public int devices() { return driver.devices(); }
  @Override public String name(int device) { return driver.name(device); }
  @Override public int attribute(int device, int attribute) { return driver.attribute(device, attribute); }
  @Override public Context open(int device) {
    var c = new Timed(driver.open(device));
    opened.put(device, c);
    return c;
  }

  /// Milliseconds that one launch of a kernel took.
  record Launch(String kernel, double ms) {}

  private record Function(Object function, String name) {}
  private record Between(String kernel, int times, Object from, Object to) {}

  static final class Timed implements Context {
    private final Context context;
    private final ArrayDeque<Object> events = new ArrayDeque<>();
    private final List<Between> launches = new ArrayList<>();
    private ToIntFunction<String> times;                                       // null: nothing is timed

    private Timed(Context context) { this.context = context; }

    /// Times all launches from now on, each made as often as its kernel's name says.
    void start(ToIntFunction<String> times) {
      launches.clear();                                                        // those of what failed
      this.times = times;
    }

    /// The launches since [#start], in order, when they are over.
    List<Launch> stop() {
      times = null;
      var r = new ArrayList<Launch>();
      for (var b : launches) {
        context.await(b.to);
        r.add(new Launch(b.kernel, context.between(b.from, b.to) / b.times));
        events.add(b.from);
        events.add(b.to);
      }
      launches.clear();
      return r;
    }

    private Object marked() {
      var e = events.isEmpty() ? context.event() : events.pop();
      context.record(e);
      return e;
    }

    @Override public Object function(Object module, String name) {
      return new Function(context.function(module, name), name);
    }
    @Override public void allowShared(Object function, int bytes) {
      context.allowShared(((Function) function).function, bytes);
    }

    @Override public void launch(Object function, int gridX, int gridY, int gridZ, int threads, int shared) {
      var f = (Function) function;
      int n = times == null ? 1 : times.applyAsInt(f.name);
      var from = times == null ? null : marked();
      for (int i = 0; i < n; i++) context.launch(f.function, gridX, gridY, gridZ, threads, shared);
      if (times != null) launches.add(new Between(f.name, n, from, marked()));
    }

    @Override public long stream() { return context.stream(); }
    @Override public void reach(Context other) { context.reach(((Timed) other).context); }

    @Override public void enter() { context.enter(); }
    @Override public long allocate(long bytes) { return context.allocate(bytes); }
    @Override public void free(long address) { context.free(address); }
    @Override public long freeBytes() { return context.freeBytes(); }
    @Override public long totalBytes() { return context.totalBytes(); }
    @Override public ByteBuffer pinned(int bytes) { return context.pinned(bytes); }
    @Override public long address(ByteBuffer pinned) { return context.address(pinned); }
    @Override public Object module(byte[] image) { return context.module(image); }
    @Override public ByteBuffer arguments() { return context.arguments(); }
    @Override public void copyIn(long to, ByteBuffer pinned, int bytes) { context.copyIn(to, pinned, bytes); }
    @Override public void copyOut(ByteBuffer pinned, long from, int bytes) { context.copyOut(pinned, from, bytes); }
    @Override public void copy(long to, long from, long bytes) { context.copy(to, from, bytes); }
    @Override public void clear(long to, long bytes) { context.clear(to, bytes); }
    @Override public Object event() { return context.event(); }
    @Override public void record(Object event) { context.record(event); }
    @Override public void await(Object event) { context.await(event); }
    @Override public float between(Object from, Object to) { return context.between(from, to); }
    @Override public void synchronize() { context.synchronize(); }
    @Override public Blas blas() { return context.blas(); }
    @Override public Dnn dnn() { return context.dnn(); }
  }
}
