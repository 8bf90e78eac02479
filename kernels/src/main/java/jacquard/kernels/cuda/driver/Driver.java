package jacquard.kernels.cuda.driver;

import java.nio.ByteBuffer;

/// The part of the CUDA driver that Jacquard calls, so that one binding can replace another. Addresses are numbers;
/// modules, functions and events are whatever the binding makes of them. What fails throws [CudaException].
public interface Driver {
  /// The newest CUDA that the driver knows, as 1000·major + 10·minor.
  int version();

  int devices();

  String name(int device);

  /// A `CU_DEVICE_ATTRIBUTE_…` by its number.
  int attribute(int device, int attribute);

  /// The primary context of a device, with a stream on which all of its work runs in order.
  Context open(int device);

  int MULTIPROCESSORS = 16, CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76;

  /// What one device does. Methods are called with the context current in the calling thread, see [#enter].
  interface Context {
    void enter();

    /// CUDA's handle of the stream.
    long stream();

    /// Device memory, or 0 where there is not so much left.
    long allocate(long bytes);

    void free(long address);

    long freeBytes();

    long totalBytes();

    /// Page-locked host memory, which the device reaches at [#address].
    ByteBuffer pinned(int bytes);

    long address(ByteBuffer pinned);

    /// A cubin, fatbin or PTX text.
    Object module(byte[] image);

    Object function(Object module, String name);

    /// Lets launches of a function ask for this much dynamic shared memory.
    void allowShared(Object function, int bytes);

    /// Where the one argument of the next launch is written; copied by the launch.
    ByteBuffer arguments();

    void launch(Object function, int gridX, int gridY, int gridZ, int threads, int shared);

    void copyIn(long to, ByteBuffer pinned, int bytes);

    void copyOut(ByteBuffer pinned, long from, int bytes);

    /// Within the device, or from a peer.
    void copy(long to, long from, long bytes);

    /// Bytes of zero.
    void clear(long to, long bytes);

    Object event();

    /// Marks the present end of the stream.
    void record(Object event);

    /// Makes the thread wait until the stream has passed the mark.
    void await(Object event);

    /// Milliseconds between two marks that have been passed.
    float between(Object from, Object to);

    void synchronize();

    /// The vendor's matrix products on this stream; an `IllegalStateException` says why there are none.
    Blas blas();

    /// The vendor's convolutions on this stream; an `IllegalStateException` says why there are none.
    Dnn dnn();

    /// Lets kernels of this device reach the other's memory.
    void reach(Context other);
  }
}
