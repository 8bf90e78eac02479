package jacquard.kernels.cpu;

import jacquard.tensor.Device;

/// The CPU as a backend: there where the JVM has the Vector API, and as often as asked for.
public final class CpuBackend implements Device.Backend {
  @Override public String kind() { return "cpu"; }
  @Override public int count() { return unavailable() == null ? 1 : 0; }

  @Override public String unavailable() {
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent() ? null
        : "the CPU kernels need the Vector API: start Java with --add-modules jdk.incubator.vector";
  }

  @Override public Device open(int index) { return new CpuDevice(index == 0 ? "cpu" : "cpu:" + index); }
}
