/// Weights on disk, in whatever format: what is read from them, and how they become a model. A package below this one
/// is a format, or whose names the tensors have.
package jacquard.clip.checkpoint;
