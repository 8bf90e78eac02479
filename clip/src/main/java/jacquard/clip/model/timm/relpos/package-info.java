/// timm's vision transformers whose attention has a bias by relative position.
package jacquard.clip.model.timm.relpos;
