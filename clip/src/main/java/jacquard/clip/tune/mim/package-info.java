/// Masked image modelling: an image tower learns what a frozen CLIP sees of patches that are hidden from it.
package jacquard.clip.tune.mim;
