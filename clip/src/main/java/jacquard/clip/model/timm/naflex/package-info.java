/// timm's NaFlex vision transformer: pictures of any size and shape in one batch.
package jacquard.clip.model.timm.naflex;
