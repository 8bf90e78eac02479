/// Image towers of the timm library, a package a family.
package jacquard.clip.model.timm;
