/// From a text to the words that a model of pieces sees, and back: normalizers, pre-tokenizers, added tokens and
/// decoders, as the `tokenizers` library has them.
package jacquard.clip.text.words;
