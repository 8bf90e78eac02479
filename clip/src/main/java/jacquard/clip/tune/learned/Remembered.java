package jacquard.clip.tune.learned;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jacquard.autograd.Named;
import jacquard.clip.eval.Evaluation;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.tune.head.TipAdapter;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/// Tip-Adapter (Zhang et al. 2022) as two towers. Its logits e^scale·f·w + α·Σₖ exp(−β(1 − f·kₖ))·vₖ are linear in what
/// a name is, so they are e^scale′·cosines of longer features:
///
///   picture  (f, s·exp(−β(1 − f·k₁)) …, p, 0)/Z      s = α/e^scale, Z² = 1 + s²(n + 1)
///   name     (w, v₁ …, 0, q)/N                       N² = 1 + the most pictures of a name
///
/// where p and q fill up to the lengths Z and N, and e^scale′ = e^scale·Z·N.
///
/// @param labels of each key its name's number
public record Remembered(Keys tensors, int[] labels, Known known, double alpha, double beta) implements Learned {
  static final String KIND = "tip-adapter";

  /// @param keys features of the pictures, normalised, `[n, embedding]`
  public record Keys(Tensor keys) {}

  @Override public String kind() { return KIND; }

  @Override public ObjectNode settings() {
    var r = known.into(new ObjectMapper().createObjectNode().put("alpha", alpha).put("beta", beta));
    var list = r.putArray("labels");
    for (int l : labels) list.add(l);
    return r;
  }

  /// With the α and β of the grids of [TipAdapter] that are best for some pictures.
  ///
  /// @param seen  those pictures and their names, as the model sees them without this
  /// @param names in the order of the labels
  public Remembered fitted(Evaluation seen, List<String> names, ClipModel model) {
    int[] own = Arrays.stream(labels).map(l -> seen.names().indexOf(names.get(l))).toArray();
    var choice = TipAdapter.of(tensors.keys, own, seen.names().size()).choose(matrix(seen.pictures()),
        matrix(seen.texts()), Arrays.stream(seen.labels()).mapToInt(l -> l[0]).toArray());
    // there cosines are times 100, here times e^scale
    return new Remembered(tensors, labels, known, choice.alpha() * Math.exp(model.logitScale().floats()[0]) / 100,
        choice.beta());
  }

  private static Tensor matrix(float[][] rows) {
    int w = rows[0].length;
    float[] r = new float[rows.length * w];
    for (int i = 0; i < rows.length; i++) System.arraycopy(rows[i], 0, r, i * w, w);
    return Tensor.of(Shape.of(rows.length, w), r);
  }

  @Override public ClipModel onto(ClipModel base, double share) {
    if (share == 0 || alpha == 0) return base;
    float s = (float) (alpha * share / Math.exp(base.logitScale().floats()[0]));
    int most = 0;
    for (int c = 0; c < known.names(); c++) most = Math.max(most, count(c));
    double z = Math.sqrt(1 + (double) s * s * (labels.length + 1)), n = Math.sqrt(1 + most);
    return new ClipModel(new Images(base.visual(), tensors, s, (float) beta, (float) (z * z - 1)),
        new Texts(base.text(), values(most), known), base.logitScale().add((float) Math.log(z * n)), base.logitBias(),
        base.decoder(), base.config());
  }

  private int count(int name) { return (int) Arrays.stream(labels).filter(l -> l == name).count(); }

  /// A row a name: v, 0, q; the last row is of all other names. `[names + 1, n + 2]`
  private float[] values(int most) {
    int n = labels.length, wide = n + 2;
    float[] r = new float[(known.names() + 1) * wide];
    for (int i = 0; i < n; i++) r[labels[i] * wide + i] = 1;
    for (int c = 0; c <= known.names(); c++) r[(c + 1) * wide - 1] = (float) Math.sqrt(most - count(c));
    return r;
  }

  static Remembered read(Stored s) throws IOException {
    int[] labels = s.ids("labels");
    var known = Known.read(s.settings());
    var keys = s.tensor("keys");
    if (labels.length != keys.dim(0) || Arrays.stream(labels).anyMatch(l -> l < 0 || l >= known.names()))
      throw new IllegalArgumentException(keys.dim(0) + " keys with " + labels.length + " labels of " + known.names()
          + " names");
    return new Remembered(new Keys(keys), labels, known, s.settings().path("alpha").asDouble(1),
        s.settings().path("beta").asDouble(5.5));
  }

  /// @param room Z² − 1, what the remembered and the filling share
  record Images(@Named("") ImageTower base, @Named("cache") Keys keys, float s, float beta, float room)
      implements AroundImages {
    @Override public Tensor changed(Tensor features) {
      var f = features.normalize();
      var r = f.matmul(false, keys.keys, true).affine(beta, -beta).exp().mul(s);
      var p = r.mul(r).sumKeeping(1).affine(-1, room).clamp(0, room).sqrt();
      return Tensor.concat(1, List.of(f, r, p, Tensor.zeros(Shape.of(f.dim(0), 1))));
    }
  }

  record Texts(@Named("") TextTower base, float[] values, Known known) implements AroundText {
    @Override public Tensor features(int[][] captions) {
      int[] which = known.of(captions);
      int wide = values.length / (known.names() + 1);
      float[] rows = new float[which.length * wide];
      for (int i = 0; i < which.length; i++)
        System.arraycopy(values, (which[i] < 0 ? known.names() : which[i]) * wide, rows, i * wide, wide);
      return Tensor.concat(1, List.of(base.features(captions).normalize(),
          Tensor.of(Shape.of(which.length, wide), rows)));
    }
  }
}
