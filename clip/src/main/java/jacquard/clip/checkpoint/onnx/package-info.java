/// Weights of ONNX files.
package jacquard.clip.checkpoint.onnx;
