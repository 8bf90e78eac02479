/// Text towers of the transformers library.
package jacquard.clip.model.hf;
