/// The CPU kernels. Nothing but the `Device` service leaves this room.
module jacquard.kernels {
  requires jacquard.tensor;
  requires jdk.incubator.vector;
}
