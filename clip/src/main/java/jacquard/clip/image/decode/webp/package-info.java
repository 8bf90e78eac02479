/// WebP files: chunks, canvas, opacity.
package jacquard.clip.image.decode.webp;
