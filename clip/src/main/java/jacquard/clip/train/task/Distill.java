package jacquard.clip.train.task;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.data.Batch;
import jacquard.clip.loss.DistillLoss;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.TextInput;
import jacquard.tensor.Pass;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;

/// A student that is trained by its own contrastive loss and by the logits of a teacher, which stays as it is; see
/// [DistillLoss].
public record Distill(Contrastive student, ClipModel teacher) implements Task {
  public Distill {
    if (student.loss() != Contrastive.Loss.SOFTMAX)
      throw new IllegalArgumentException("distillation needs the softmax loss: logits of the sigmoid loss are no "
          + "distribution over a batch");
  }

  @Override public String name() { return "distill"; }
  @Override public ClipModel model() { return student.model(); }
  @Override public Parameters parameters() { return student.parameters(); }
  @Override public SequencedMap<String, Tensor> heads() { return student.heads(); }
  @Override public void after() { student.after(); }
  @Override public Map<String, Double> report() { return student.report(); }
  @Override public Distill of(ClipModel model) { return new Distill(student.of(model), teacher); }
  @Override public List<Tensor> features(Batch part) { return student.features(part); }

  /// The teacher's features, as in evaluation.
  @Override public List<Tensor> targets(Batch part) {
    return Pass.current().inference().call(() -> Contrastive.features(teacher, part));
  }

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    var r = student.losses(features, targets, groups);
    List<Tensor> x = features.own(), t = targets.own();
    Tensor scale = student.model().scale(), taught = teacher.scale();
    r.put("distill_loss", features.whole()
        ? DistillLoss.of(new DistillLoss.Seen(x.get(0), x.get(1), scale),
            new DistillLoss.Seen(t.get(0), t.get(1), taught))
        : Contrastive.rows(features, groups).distilled(scale, Contrastive.rows(targets, groups), taught));
    return r;
  }

  /// @param weights of the teacher (see [Checkpoint#load])
  public record Recipe(Contrastive.Recipe student, ClipConfig teacher, Path weights) implements Task.Recipe {
    public Recipe {
      var s = student.config();
      TextInput text = s.text().input(), taught = teacher.text().input();
      if (!s.vision().input().equals(teacher.vision().input()) || !text.equals(taught))
        throw new IllegalArgumentException(
            ("the teacher sees %s pixels and %d tokens of the tokenizer %s, the student %s, %d and %s: both must see "
            + "the same").formatted(
            teacher.vision().input(), taught.context(), taught.tokenizer(), s.vision().input(), text.context(),
                text.tokenizer()));
    }

    @Override public Distill make(boolean resumed) throws IOException {
      return new Distill(student.make(resumed), Checkpoint.load(teacher, weights));
    }

    @Override public List<Path> files() { return Stream.concat(student.files().stream(), Stream.of(weights)).toList(); }
  }
}
