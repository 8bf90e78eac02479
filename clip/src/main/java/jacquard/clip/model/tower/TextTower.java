package jacquard.clip.model.tower;

import jacquard.clip.model.hf.HuggingFaceTower;
import jacquard.clip.model.modern.ModernTextTransformer;
import jacquard.clip.model.text.TextTransformer;
import jacquard.tensor.Tensor;

/// From captions to features.
public sealed interface TextTower extends Tower permits TextTransformer, HuggingFaceTower, ModernTextTransformer {
  /// Features `[captions, embedding]`, not normalised, of padded token ids. What cannot reach them is not computed.
  Tensor features(int[][] captions);

  /// The same features and the rows that they were pooled of.
  Encoding tokens(int[][] captions);

  /// The context, and the tokenizer that makes its ids.
  TextInput input();
}
