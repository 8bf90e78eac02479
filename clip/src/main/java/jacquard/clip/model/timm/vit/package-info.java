/// timm's vision transformers: SigLIP and its kin.
package jacquard.clip.model.timm.vit;
