/// TIFF files, BigTIFF too: directory, strips and tiles, packings, fax codes.
package jacquard.clip.image.decode.tiff;
