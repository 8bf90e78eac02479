package jacquard.clip.train;

import jacquard.clip.data.source.Source;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipModel;
import jacquard.clip.settings.Count;
import jacquard.clip.text.Tokenizer;
import jacquard.tensor.Scope;
import java.io.IOException;
import java.util.LinkedHashMap;

/// Zero-shot classification and retrieval on pairs that are not trained on.
final class HeldOut implements Listener.Evaluator {
  private final Source source;
  private final Transform transform;
  private final Tokenizer tokenizer;
  private final ClipModel model;
  private Evaluation last;

  HeldOut(Source source, Transform transform, Tokenizer tokenizer, ClipModel model) {
    this.source = source;
    this.transform = transform;
    this.tokenizer = tokenizer;
    this.model = model;
  }

  @Override public Listener.Outcome outcome() throws IOException {
    try (var _ = Scope.open()) {
      last = Evaluation.of(new Embedder(model, transform, 256, () -> tokenizer), source);
    }
    var metrics = new LinkedHashMap<>(last.metrics());
    int missing = last.missing();
    return new Listener.Outcome(metrics,
        "top-1 %.1f %%, top-5 %.1f %% of %s".formatted(100 * metrics.get("top1"), 100 * metrics.get("top5"),
        Count.of(last.names().size(), "name"))
        + (missing == 0 ? "" : "; " + Count.of(missing, "picture") + " could not be read"));
  }

  /// The last evaluation; null before the first.
  Evaluation last() { return last; }
}
