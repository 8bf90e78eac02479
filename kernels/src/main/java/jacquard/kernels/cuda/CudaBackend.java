package jacquard.kernels.cuda;

import jacquard.kernels.cuda.driver.Installed;
import jacquard.tensor.Device;

/// The GPUs of this machine, where JCuda and a driver are there; or, with `JACQUARD_CUDA=emulated`, emulated ones.
public final class CudaBackend implements Device.Backend {
  @Override public String kind() { return "cuda"; }

  @Override public int count() { return unavailable() == null ? Installed.here().driver().devices() : 0; }

  @Override public String unavailable() { return Installed.here().missing(); }

  @Override public Device open(int index) {
    if (index >= count())
      throw new IllegalArgumentException("device cuda:" + index + ": there are " + count() + ", numbered from 0");
    return new CudaDevice(Installed.here(), index);
  }
}
