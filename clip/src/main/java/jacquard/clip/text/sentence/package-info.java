/// SentencePiece models, as the `sentencepiece` library reads them.
package jacquard.clip.text.sentence;
