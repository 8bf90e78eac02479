/// NumPy's archives.
package jacquard.clip.checkpoint.numpy;
