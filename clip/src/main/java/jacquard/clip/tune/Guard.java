package jacquard.clip.tune;

import jacquard.clip.data.Part;
import jacquard.clip.data.Source;
import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.eval.Templates;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipModel;
import jacquard.clip.text.Tokenizer;
import java.io.IOException;

/// What is measured of a model: what must stay (A) and what is learned (B), each in a validation half, where things are
/// chosen, and a test half, which is told.
public record Guard(Source a, Source b, Transform transform, Tokenizer tokenizer, Templates templates) {
  /// Zero-shot and retrieval on both.
  public record Score(Evaluation a, Evaluation b) {
    public double kept() { return a.metrics().get("top1"); }
    public double learned() { return b.metrics().get("top1"); }
    /// What a choice goes by.
    public double mean() { return (kept() + learned()) / 2; }
  }

  /// @param half 0 for validation, 1 for test
  public Score score(ClipModel model, int half) throws IOException {
    var embedder = new Embedder(model, transform, 256, () -> tokenizer);
    return new Score(Evaluation.of(embedder, Part.half(a, half), templates, Advance.UNHEARD),
        Evaluation.of(embedder, Part.half(b, half), templates, Advance.UNHEARD));
  }
}
