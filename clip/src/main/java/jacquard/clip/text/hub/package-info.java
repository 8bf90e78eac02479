/// Tokenizers as the hub keeps them: `tokenizer.json`, SentencePiece models, tiktoken's files, and what OpenCLIP does
/// around them.
package jacquard.clip.text.hub;
