/// The CPU kernels. Nothing but the `Device.Backend` services leaves this room.
module jacquard.kernels {
  requires jacquard.tensor;
  requires jdk.incubator.vector;
  exports jacquard.kernels.cpu to jacquard.tests, jacquard.bench;
  provides jacquard.tensor.Device.Backend with jacquard.kernels.cpu.CpuBackend;
}
