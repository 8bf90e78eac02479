/// OpenCLIP's vision transformer.
package jacquard.clip.model.vit;
