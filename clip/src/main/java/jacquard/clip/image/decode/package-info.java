/// From the bytes of image files to pictures: a file a format, [Format][jacquard.clip.image.decode.Format] the index of
/// them.
package jacquard.clip.image.decode;
