/// RandAugment and its kin, in the forms of torchvision and timm.
package jacquard.clip.image.augment.policy;
