/// CoCa's decoder, which reads a picture's tokens and a caption's, and the search for a caption.
package jacquard.clip.model.coca;
