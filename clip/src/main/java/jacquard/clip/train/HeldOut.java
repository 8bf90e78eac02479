package jacquard.clip.train;

import jacquard.clip.data.Source;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipModel;
import jacquard.clip.text.Tokenizer;
import java.io.IOException;
import java.util.LinkedHashMap;

/// Zero-shot classification and retrieval on pairs that are not trained on.
final class HeldOut implements Listener.Evaluator {
  private final Source source;
  private final Embedder embedder;
  private Evaluation last;

  HeldOut(Source source, Transform transform, Tokenizer tokenizer, ClipModel model) {
    this.source = source;
    this.embedder = new Embedder(model, transform, 256, () -> tokenizer);
  }

  @Override public Listener.Outcome outcome() throws IOException {
    last = Evaluation.of(embedder, source);
    var metrics = new LinkedHashMap<>(last.metrics());
    int missing = last.missing();
    return new Listener.Outcome(metrics,
        "top-1 %.1f %%, top-5 %.1f %% of %,d names".formatted(100 * metrics.get("top1"), 100 * metrics.get("top5"),
        last.names().size())
        + (missing == 0 ? "" : "; %,d pictures could not be read".formatted(missing)));
  }

  /// The last evaluation; null before the first.
  Evaluation last() { return last; }
}
