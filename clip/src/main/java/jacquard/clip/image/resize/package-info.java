/// Resizing as Pillow does, to the bit.
package jacquard.clip.image.resize;
