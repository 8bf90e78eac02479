package jacquard.kernels.cuda.driver;

import static jcuda.driver.JCudaDriver.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;

/// The driver through JCuda 12.6.
public final class JCuda implements Driver {
  private static final int ARGUMENT_BYTES = 4096;
  private static final int MAX_DYNAMIC_SHARED = 8;
  private static final int PEER_ACCESS_ALREADY_ENABLED = 704;

  /// JCuda's pointer classes keep the number to themselves and their subclasses.
  private static final class DevicePointer extends CUdeviceptr {
    long value() { return getNativePointer(); }
  }
  private static final class HostPointer extends Pointer {
    long value() { return getNativePointer(); }
  }
  private static final class Stream extends CUstream {
    long value() { return getNativePointer(); }
  }
  private static final CUdeviceptr NULL = new CUdeviceptr();

  /// Fails with an `UnsatisfiedLinkError` where the native library cannot be loaded: [Natives] comes first.
  public JCuda() { check("cuInit", cuInit(0)); }

  static CUdeviceptr at(long address) { return NULL.withByteOffset(address); }

  private static void check(String call, int result) {
    if (result != CUresult.CUDA_SUCCESS) throw failure(call, result);
  }

  private static CudaException failure(String call, int result) {
    String[] meaning = new String[1];
    cuGetErrorString(result, meaning);
    return new CudaException(call, result, CUresult.stringFor(result), meaning[0]);
  }

  @Override public int version() {
    int[] v = new int[1];
    check("cuDriverGetVersion", cuDriverGetVersion(v));
    return v[0];
  }

  @Override public int devices() {
    int[] n = new int[1];
    check("cuDeviceGetCount", cuDeviceGetCount(n));
    return n[0];
  }

  @Override public String name(int device) {
    byte[] name = new byte[256];
    check("cuDeviceGetName", cuDeviceGetName(name, name.length, device(device)));
    return new String(name, StandardCharsets.UTF_8).trim();
  }

  @Override public int attribute(int device, int attribute) {
    int[] v = new int[1];
    check("cuDeviceGetAttribute", cuDeviceGetAttribute(v, attribute, device(device)));
    return v[0];
  }

  private static CUdevice device(int index) {
    var d = new CUdevice();
    check("cuDeviceGet", cuDeviceGet(d, index));
    return d;
  }

  @Override public Context open(int device) { return new Primary(device(device)); }

  private static final class Primary implements Context {
    private static final ThreadLocal<Primary> ENTERED = new ThreadLocal<>();
    private final CUcontext context = new CUcontext();
    private final Stream stream = new Stream();
    private final ByteBuffer arguments = ByteBuffer.allocateDirect(ARGUMENT_BYTES).order(ByteOrder.nativeOrder());
    private final Pointer argumentPointers = Pointer.to(Pointer.to(arguments));
    private final Map<ByteBuffer, HostPointer> pinned = new IdentityHashMap<>();

    Primary(CUdevice device) {
      check("cuDevicePrimaryCtxRetain", cuDevicePrimaryCtxRetain(context, device));
      enter();
      // non-blocking: no order with the default stream
      check("cuStreamCreate", cuStreamCreate(stream, 1));
    }

    @Override public void enter() {
      if (ENTERED.get() == this) return;
      check("cuCtxSetCurrent", cuCtxSetCurrent(context));
      ENTERED.set(this);
    }

    @Override public long stream() { return stream.value(); }

    @Override public long allocate(long bytes) {
      var p = new DevicePointer();
      int result = cuMemAlloc(p, bytes);
      if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) return 0;
      check("cuMemAlloc of " + bytes + " bytes", result);
      return p.value();
    }

    @Override public void free(long address) { check("cuMemFree", cuMemFree(at(address))); }

    @Override public long freeBytes() { return memory()[0]; }

    @Override public long totalBytes() { return memory()[1]; }

    private static long[] memory() {
      long[] free = new long[1], total = new long[1];
      check("cuMemGetInfo", cuMemGetInfo(free, total));
      return new long[] {free[0], total[0]};
    }

    @Override public ByteBuffer pinned(int bytes) {
      var p = new HostPointer();
      // for all contexts, mapped into their address space
      check("cuMemHostAlloc of " + bytes + " bytes", cuMemHostAlloc(p, bytes, 1 | 2));
      var buffer = p.getByteBuffer(0, bytes).order(ByteOrder.nativeOrder());
      synchronized (pinned) { pinned.put(buffer, p); }
      return buffer;
    }

    private HostPointer host(ByteBuffer buffer) {
      synchronized (pinned) { return pinned.get(buffer); }
    }

    @Override public long address(ByteBuffer buffer) {
      var d = new DevicePointer();
      check("cuMemHostGetDevicePointer", cuMemHostGetDevicePointer(d, host(buffer), 0));
      return d.value();
    }

    @Override public Object module(byte[] image) {
      var m = new CUmodule();
      // PTX ends with a zero
      check("cuModuleLoadData", cuModuleLoadData(m, Arrays.copyOf(image, image.length + 1)));
      return m;
    }

    @Override public Object function(Object module, String name) {
      var f = new CUfunction();
      check("cuModuleGetFunction " + name, cuModuleGetFunction(f, (CUmodule) module, name));
      return f;
    }

    @Override public void allowShared(Object function, int bytes) {
      check("cuFuncSetAttribute", cuFuncSetAttribute((CUfunction) function, MAX_DYNAMIC_SHARED, bytes));
    }

    @Override public ByteBuffer arguments() { return arguments; }

    @Override public void launch(Object function, int gridX, int gridY, int gridZ, int threads, int shared) {
      check("cuLaunchKernel", cuLaunchKernel((CUfunction) function, gridX, gridY, gridZ, threads, 1, 1, shared, stream,
          argumentPointers, null));
    }

    @Override public void copyIn(long to, ByteBuffer from, int bytes) {
      check("cuMemcpyHtoDAsync", cuMemcpyHtoDAsync(at(to), host(from), bytes, stream));
    }

    @Override public void copyOut(ByteBuffer to, long from, int bytes) {
      check("cuMemcpyDtoHAsync", cuMemcpyDtoHAsync(host(to), at(from), bytes, stream));
    }

    @Override public void copy(long to, long from, long bytes) {
      check("cuMemcpyDtoDAsync", cuMemcpyDtoDAsync(at(to), at(from), bytes, stream));
    }

    @Override public void clear(long to, long bytes) {
      check("cuMemsetD8Async", cuMemsetD8Async(at(to), (byte) 0, bytes, stream));
    }

    @Override public Object event() {
      var e = new CUevent();
      check("cuEventCreate", cuEventCreate(e, 0));
      return e;
    }

    @Override public void record(Object event) { check("cuEventRecord", cuEventRecord((CUevent) event, stream)); }

    @Override public void await(Object event) { check("cuEventSynchronize", cuEventSynchronize((CUevent) event)); }

    @Override public float between(Object from, Object to) {
      float[] ms = new float[1];
      check("cuEventElapsedTime", cuEventElapsedTime(ms, (CUevent) from, (CUevent) to));
      return ms[0];
    }

    @Override public void synchronize() { check("cuStreamSynchronize", cuStreamSynchronize(stream)); }

    @Override public Blas blas() { return new JCublas(stream); }

    @Override public Dnn dnn() { return new JCudnn(stream); }

    @Override public void reach(Context other) {
      int result = cuCtxEnablePeerAccess(((Primary) other).context, 0);
      if (result != PEER_ACCESS_ALREADY_ENABLED) check("cuCtxEnablePeerAccess", result);
    }
  }
}
