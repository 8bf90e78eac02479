/// Key frames of VP8 (RFC 6386), the lossy half of WebP.
package jacquard.clip.image.decode.vp8;
