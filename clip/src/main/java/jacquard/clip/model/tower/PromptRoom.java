package jacquard.clip.model.tower;

import jacquard.tensor.Tensor;

/// What a tower takes as a prompt.
///
/// @param width  of its vectors
/// @param blocks how many blocks may have rows of their own before them
/// @param words  the vectors of tokens, which a prompt may begin as, `[vocabulary, width]`; null for pictures
public record PromptRoom(int width, int blocks, Tensor words) {}
