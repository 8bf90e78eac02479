/// Safetensors: one file, or several that together hold a model.
package jacquard.clip.checkpoint.safetensors;
