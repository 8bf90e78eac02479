/// Other projects' names of tensors, as OpenCLIP's, and back; and what their files say of the model.
package jacquard.clip.checkpoint.names;
