package jacquard.kernels.cuda;

/// A tensor's storage on a GPU.
public record Allocation(long address) {}
