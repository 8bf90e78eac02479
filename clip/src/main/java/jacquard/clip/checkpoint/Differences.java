package jacquard.clip.checkpoint;

import jacquard.clip.model.ClipModel;
import jacquard.tensor.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// How weights and a model do not fit, tensor by tensor.
final class Differences {
  private static final int TOLD = 5;
  private final List<String> all = new ArrayList<>();
  private String hint = "is it a checkpoint of another model?";

  void missing(String name) { all.add(name + " is missing"); }

  void surplus(String name) { all.add(name + " is a tensor that the model has not"); }

  void shape(String name, int[] stored, Shape expected) {
    int[] to = expected.dims();
    all.add(name + " is " + Arrays.toString(stored) + ", the model expects " + Arrays.toString(to));
    boolean table = name.matches(".*(token_embedding|word_embeddings|embed_tokens|tok_embeddings|text_embed)\\.weight");
    if (table && stored.length == 2 && stored[0] != to[0] && stored[1] == to[1])
      hint = ("its vocabulary has %,d tokens, that of the config (text_cfg.vocab_size) %,d: it needs the config and "
          + "the tokenizer that it was trained with")
          .formatted(stored[0], to[0]);
  }

  boolean none() { return all.isEmpty(); }

  /// @throws IOException with the first five, if there are any
  void check(Path file) throws IOException {
    if (all.isEmpty()) return;
    throw new IOException(file + " does not fit the model: "
        + String.join("; ", all.subList(0, Math.min(TOLD, all.size())))
        + (all.size() > TOLD ? "; and %,d more".formatted(all.size() - TOLD) : "") + ". "
            + Character.toUpperCase(hint.charAt(0)) + hint.substring(1));
  }

  /// Those of a whole model; positions that can be resized are none.
  static Differences of(ClipModel model, Weights weights, List<Checkpoint.Place> places, Iterable<String> left)
      throws IOException {
    var r = new Differences();
    for (var p : places) {
      if (!weights.contains(p.stored())) r.missing(p.name());
      else if (!Checkpoint.fits(model, p, weights.shape(p.stored()))) r.shape(p.name(), weights.shape(p.stored()),
          p.shape(model));
    }
    left.forEach(r::surplus);
    return r;
  }
}
