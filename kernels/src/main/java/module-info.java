/// The CPU and CUDA kernels. Nothing but the services leaves this room. JCuda is there for who asks for it: who runs on
/// the CPU alone needs none.
module jacquard.kernels {
  requires jacquard.tensor;
  requires jdk.incubator.vector;
  requires static jcuda;
  requires static jcublas;
  requires static jcudnn;
  exports jacquard.kernels.cpu to jacquard.tests, jacquard.bench;
  exports jacquard.kernels.nccl to jacquard.tests;
  exports jacquard.kernels.cuda to jacquard.tests, jacquard.bench;
  exports jacquard.kernels.cuda.launch to jacquard.tests, jacquard.bench;
  exports jacquard.kernels.cuda.launch.convolution to jacquard.tests, jacquard.bench;
  exports jacquard.kernels.cuda.driver to jacquard.tests, jacquard.bench;
  provides jacquard.tensor.Device.Backend with jacquard.kernels.cpu.CpuBackend, jacquard.kernels.cuda.CudaBackend;
  provides jacquard.tensor.Group.Threads with jacquard.kernels.local.LocalThreads;
  provides jacquard.tensor.Group.Processes with jacquard.kernels.mpi.MpiProcesses,
      jacquard.kernels.nccl.NcclProcesses, jacquard.kernels.tcp.TcpProcesses;
}
