/// timm's transformers behind a few convolutions: MobileCLIP-B and ViTamin.
package jacquard.clip.model.timm.hybrid;
