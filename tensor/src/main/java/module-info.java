/// The words: tensors, ops, scopes, devices. Depends on the JDK alone.
module jacquard.tensor {
  exports jacquard.tensor;
  exports jacquard.tensor.op;
  uses jacquard.tensor.Device.Backend;
  uses jacquard.tensor.Group.Threads;
  uses jacquard.tensor.Group.Processes;
}
