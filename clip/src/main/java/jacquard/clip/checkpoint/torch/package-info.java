/// PyTorch's files: zip archives, older pickles, TorchScript; read without running anything, written as PyTorch writes
/// them.
package jacquard.clip.checkpoint.torch;
