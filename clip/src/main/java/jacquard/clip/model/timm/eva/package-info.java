/// timm's EVA towers and the perception encoders.
package jacquard.clip.model.timm.eva;
