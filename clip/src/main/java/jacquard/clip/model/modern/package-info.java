/// OpenCLIP's modern text transformer: read, not built yet.
package jacquard.clip.model.modern;
