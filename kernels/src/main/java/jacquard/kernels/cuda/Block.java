package jacquard.kernels.cuda;

/// A tensor's storage on a GPU.
record Block(long address) {}
