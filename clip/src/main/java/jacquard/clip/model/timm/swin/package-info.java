/// timm's Swin towers.
package jacquard.clip.model.timm.swin;
