package jacquard.clip.tune;

import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.model.ClipModel;
import jacquard.clip.tune.adapter.Adapter;
import jacquard.clip.tune.blend.Blend;
import jacquard.clip.tune.learned.Learned;
import jacquard.clip.tune.task.Beside;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What lies between a model as it was (α = 0) and as it is now (1): weights between the two, and a share of what was
/// learned beside them.
///
/// @param learned null where nothing was
public record Way(ClipModel before, ClipModel after, Learned learned) {
  /// To a run's folder of weights.
  public static Way of(ClipModel before, Path last) throws IOException {
    var after = Checkpoint.load(before.config(), ModelFiles.at(last).weights());
    var folder = last.resolve(Beside.FOLDER);
    return new Way(before, after, Learned.in(folder) ? Learned.read(folder, after).learned() : null);
  }

  /// The same with something else learned.
  public Way with(Learned other) { return new Way(before, after, other); }

  public ClipModel at(double alpha) {
    var m = Blend.of(before, after, alpha);
    return learned == null ? m : learned.onto(m, alpha);
  }

  /// Weights, and what was learned in a folder beside them.
  public void write(Path folder, double alpha) throws IOException {
    var m = Blend.of(before, after, alpha);
    Checkpoint.save(m, Files.createDirectories(folder).resolve("open_clip_model.safetensors"));
    if (learned != null) learned.write(folder.resolve(Beside.FOLDER), Adapter.hash(m), alpha);
  }
}
