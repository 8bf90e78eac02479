/// Lossless pictures of WebP (RFC 9649, section 3), which also hold the opacity of lossy ones.
package jacquard.clip.image.decode.vp8l;
