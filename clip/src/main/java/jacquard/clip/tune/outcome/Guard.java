package jacquard.clip.tune.outcome;

import jacquard.clip.data.source.Part;
import jacquard.clip.data.source.Source;
import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.eval.Templates;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipModel;
import jacquard.clip.settings.Count;
import jacquard.clip.text.Tokenizer;
import jacquard.clip.train.Listener;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

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

  /// The same while a model is trained: `learned` and `kept`, on the validation halves.
  public SequencedMap<String, Listener.Evaluator> during(ClipModel model) {
    var embedder = new Embedder(model, transform, 256, () -> tokenizer);
    var r = new LinkedHashMap<String, Listener.Evaluator>();
    r.put("learned", () -> outcome(Evaluation.of(embedder, Part.half(b, 0), templates, Advance.UNHEARD)));
    r.put("kept", () -> outcome(Evaluation.of(embedder, Part.half(a, 0), templates, Advance.UNHEARD)));
    return r;
  }

  private static Listener.Outcome outcome(Evaluation e) {
    var m = new LinkedHashMap<>(e.metrics());
    return new Listener.Outcome(m, "top-1 %.1f %%, top-5 %.1f %% of %s".formatted(100 * m.get("top1"),
        100 * m.get("top5"), Count.of(e.names().size(), "name")));
  }
}
