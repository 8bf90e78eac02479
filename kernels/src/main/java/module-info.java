/// The CPU kernels. Nothing but the `Device` service leaves this room.
module jacquard.kernels {
  requires jacquard.tensor;
  requires jdk.incubator.vector;
  exports jacquard.kernels.cpu to jacquard.tests, jacquard.bench;
  provides jacquard.tensor.Device with jacquard.kernels.cpu.CpuDevice;
}
