package jacquard.clip.tune.task;

import jacquard.autograd.Parameters;
import jacquard.clip.data.Batch;
import jacquard.clip.loss.SoftmaxLoss;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.train.task.Joined;
import jacquard.clip.train.task.Task;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// Pictures learn to choose their name: softmax cross-entropy of e^scale·cos(picture, name). Names are known by their
/// texts, so that what is learned stays open to others.
///
/// @param bank     features of the names, which stay as they are, `[names, embedding]`
/// @param captions tokens of the new names where the text tower is trained too, and their part of the bank is made anew
/// at each step; else null
public record Classify(ClipModel model, Parameters parameters, Classes classes, Tensor bank, int[][] captions)
    implements Task {
  @Override public String name() { return "classify"; }

  /// The pictures' normalised features and their logits.
  @Override public List<Tensor> features(Batch part) {
    var x = model.embedImages(ImageBatch.of(part.pictures().rows(), part.count(), part.pictures().grid()));
    return List.of(x, cosines(x).mul(model.scale()));
  }

  private Tensor cosines(Tensor x) {
    if (captions == null) return x.matmul(false, bank, true);
    boolean all = classes.fresh() == bank.dim(0);
    var old = all ? null : bank.slice(0, classes.fresh(), bank.dim(0));
    if (model.text().perPicture()) {
      var fresh = model.text().cosines(x, captions);
      return all ? fresh : Tensor.concat(1, List.of(fresh, x.matmul(false, old, true)));
    }
    var fresh = model.embedTexts(captions);
    return x.matmul(false, all ? fresh : Tensor.concat(0, List.of(fresh, old)), true);
  }

  @Override public List<Tensor> targets(Batch part) {
    var r = new ArrayList<>(List.of(classes.right(part.samples())));
    var own = classes.own(part.samples());
    if (own != null) r.add(own);
    return r;
  }

  @Override public SequencedMap<String, Tensor> heads() { return new LinkedHashMap<>(); }

  @Override public SequencedMap<String, Tensor> losses(Joined features, Joined targets, int[] groups) {
    var z = features.own().get(1);
    var asked = targets.own();
    var r = new LinkedHashMap<String, Tensor>();
    r.put("class_loss", features.mean(SoftmaxLoss.of(
        classes.fresh() == classes.names().size() ? z : z.add(asked.get(1)), asked.get(0))));
    return r;
  }

  @Override public void after() {}
  @Override public Map<String, Double> report() { return Map.of(); }
  @Override public Classify of(ClipModel other) { return new Classify(other, Parameters.of(other), classes, bank,
      captions); }
}
