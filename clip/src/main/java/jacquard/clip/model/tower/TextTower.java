package jacquard.clip.model.tower;

import jacquard.tensor.Tensor;

/// From captions to features.
public interface TextTower extends Tower {
  /// Features `[captions, embedding]`, not normalised, of padded token ids. What cannot reach them is not computed.
  Tensor features(int[][] captions);

  /// The same features and the rows that they were pooled of.
  Encoding tokens(int[][] captions);

  /// The context, and the tokenizer that makes its ids.
  TextInput input();
}
