/// Encoders of the transformers library: BERT and its kin, ModernBERT, M2M-100, T5.
package jacquard.clip.model.hf.encoder;
