/// timm's ConvNeXt towers.
package jacquard.clip.model.timm.convnext;
