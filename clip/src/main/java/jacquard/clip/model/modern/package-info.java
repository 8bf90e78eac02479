/// OpenCLIP's modern text transformer.
package jacquard.clip.model.modern;
