/// Operations on whole images that augmentation is made of.
package jacquard.clip.image.augment;
