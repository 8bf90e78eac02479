package jacquard.clip.train.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.data.Batch;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.genlip.GenLip;
import jacquard.clip.train.parameter.Locks;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// GenLIP: the words of captions are foretold from the pictures and the words before them, and nothing is compared.
///
/// @param parameters the model's, those of locked groups frozen
public record Foretell(ClipModel model, Parameters parameters) implements Task {
  public Foretell {
    if (!(model.visual() instanceof GenLip))
      throw new IllegalArgumentException("foretelling captions alone needs one trunk for pictures and words "
          + "(genlip_cfg)");
  }

  @Override public String name() { return "foretell"; }

  /// Of each caption the sum of its words' losses and their number, `[count, 1]`.
  @Override public List<Tensor> features(Batch part) {
    var trunk = (GenLip) model.visual();
    int[][] captions = part.captions().tokens();
    return List.of(trunk.losses(Pictured.patches(model, part), captions), trunk.labels(captions));
  }

  @Override public SequencedMap<String, Tensor> heads() { return new LinkedHashMap<>(); }

  /// The mean over all words of the batch.
  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    var r = new LinkedHashMap<String, Tensor>();
    r.put("caption_loss", features.own().get(0).sum().divide(features.all().get(1).sum()));
    return r;
  }

  @Override public void after() {}

  @Override public Map<String, Double> report() { return Map.of(); }

  @Override public Foretell of(ClipModel other) { return new Foretell(other, Parameters.of(other)); }

  /// @param start weights to begin from; null for those that the seed draws
  public record Recipe(ClipConfig config, Path start, Locks locks, long seed) implements Task.Recipe {
    @Override public Foretell make(boolean resumed) throws IOException {
      var model = resumed || start == null ? ClipModel.create(config, seed) : Checkpoint.load(config, start);
      return new Foretell(model, model.parameters().freeze(locks.frozen(model).toArray(String[]::new)));
    }

    @Override public List<Path> files() { return start == null ? List.of() : List.of(start); }
  }
}
