/// timm's FastViT towers, MobileCLIP's.
package jacquard.clip.model.timm.fastvit;
