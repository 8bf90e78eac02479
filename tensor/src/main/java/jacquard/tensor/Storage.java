package jacquard.tensor;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// A block of device memory and the count of its owners (scopes, views, the tape). At zero it goes back to the device's
/// pool.
public final class Storage {
  private record Derived(int version, Object form) {}

  /// Elements that lie elsewhere, in a file say, until they are used.
  @FunctionalInterface public interface Source {
    /// Copies the elements `from … from + n − 1` into a primitive array of the dtype, from `at` on. Any thread may ask.
    void copy(long from, Object array, int at, int n);

    /// Called once, when the elements were taken over or are no longer wanted.
    default void close() {}
  }

  private final Device device;
  private final DType dtype;
  private final long size;
  private final AtomicInteger owners = new AtomicInteger();
  private volatile Object block;
  private volatile Source source;                        // null once the elements are in the block
  private volatile int version;
  private volatile ConcurrentHashMap<Object, Derived> derived;
  private Storage half;                                  // the elements in BF16, as of version `halved`
  private int halved;

  Storage(Device device, DType dtype, long size, Object block) {
    this.device = device;
    this.dtype = dtype;
    this.size = size;
    this.block = block;
  }

  Storage(Device device, DType dtype, long size, Source source) {
    this(device, dtype, size, (Object) null);
    this.source = source;
  }

  public Device device() { return device; }
  public DType dtype() { return dtype; }

  /// How many elements the tensors of this storage may address.
  public long size() { return size; }

  /// How often the elements were written in place since the storage was made.
  public int version() { return version; }

  /// Says that an update op wrote the elements in place.
  public void changed() { version++; }

  /// Lets `use` read the elements where they still lie; false, without a call, when they are in the device's memory.
  public synchronized boolean elsewhere(Consumer<Source> use) {
    if (source == null) return false;
    use.accept(source);
    return true;
  }

  /// The device's own handle of the memory: a primitive array on the CPU. Fetches elements that lie elsewhere.
  public Object block() {
    var b = block;
    if (b == null) b = fetched();
    if (b == null)
      throw new IllegalStateException("storage of " + size + " " + dtype + " was given back to " + device.name());
    return b;
  }

  private synchronized Object fetched() {
    if (source != null) {
      var b = device.allocate(dtype, size);
      device.fetch(source, dtype, b, size);
      block = b;
      source.close();
      source = null;
    }
    return block;
  }

  boolean live() { return block != null || source != null; }

  /// A form computed from the elements (packed panels, BF16), made once for each version.
  @SuppressWarnings("unchecked")
  public <T> T derived(Object key, Supplier<T> make) {
    if (derived == null) synchronized (this) { if (derived == null) derived = new ConcurrentHashMap<>(); }
    int now = version;
    var known = derived.get(key);
    if (known != null && known.version == now) return (T) known.form;
    T form = make.get();
    derived.put(key, new Derived(now, form));
    return form;
  }

  /// Whether an update has written the elements: they are a parameter's, which stays and is read many times before it
  /// changes again.
  boolean lasting() { return version > 0; }

  /// Whether the elements lie here in BF16 too, as they are now.
  synchronized boolean halved() { return half != null && halved == version; }

  /// Keeps what a kernel has written of the elements in BF16 beside them.
  synchronized void halved(Storage written) {
    if (half != null) half.release();
    half = written;
    half.retain();
    halved = version;
  }

  /// The elements in BF16, kept beside them for as long as they live; `cast` writes them where those that are there are
  /// of another version.
  synchronized Storage half(Consumer<Storage> cast) {
    if (half == null) {
      half = new Storage(device, DType.BF16, size, device.allocate(DType.BF16, size));
      half.retain();
      halved = -1;
    }
    if (halved != version) {
      cast.accept(half);
      half.changed();
      halved = version;
    }
    return half;
  }

  /// What an update that writes the elements writes in BF16 too, so that no cast is needed after it: where there is
  /// such a form, else null. To be asked once by an update that will do it.
  public synchronized Storage halfToo() {
    if (half == null) return null;
    half.changed();
    halved = version + 1;                                // what the version will be once the update has run
    return half;
  }

  void retain() { owners.incrementAndGet(); }

  void release() {
    if (owners.decrementAndGet() == 0) {
      var b = block;
      block = null;
      if (source != null) source.close();
      source = null;
      derived = null;
      if (b != null) device.free(dtype, size, b);
      if (half != null) half.release();
      half = null;
    }
  }
}
