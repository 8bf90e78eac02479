/// timm's EfficientNet-Lite towers.
package jacquard.clip.model.timm.efficientnet;
