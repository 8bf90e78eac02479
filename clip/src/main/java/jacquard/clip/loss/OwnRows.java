package jacquard.clip.loss;

import jacquard.autograd.Grad;
import jacquard.tensor.DType;
import jacquard.tensor.Pass;
import jacquard.tensor.Precision;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/// One rank's part of a loss over all pairs of the batch that ranks share: the rows of logits of its own pictures
/// against the captions of all, and those of its own captions against the pictures of all. The parts of all ranks add
/// up to the loss of the joined batch ([ContrastiveLoss], [DistillLoss]). A rank with m of n pairs does m/n of the work
/// and holds a few rows of logits at a time, in backward too.
///
/// @param images,texts       of this rank's pairs, normalised, `[m, d]`
/// @param allImages,allTexts of all pairs in the order of the ranks, `[n, d]`
/// @param first              the number of this rank's first pair among all
/// @param groups             of all pairs the number of the caption, from 0, equal where captions are equal
public record OwnRows(Tensor images, Tensor texts, Tensor allImages, Tensor allTexts, int first, int[] groups) {
  /// Rows of logits that are held at a time.
  private static final int ROWS = 256;

  private int own() { return images.dim(0); }

  private int all() { return groups.length; }

  /// With z = scale·x·tᵀ, of own rows i: `1/2n·Σ_i (ln Σ_j e^z_ij − mean of z over the positives of row i)`, of
  /// pictures and of captions.
  public Tensor softmax(Tensor scale) {
    return exactly(() -> {
      var logSums = logSums(images, allTexts, scale).add(logSums(texts, allImages, scale));
      var chosen = chosen(images, allTexts, true).add(chosen(texts, allImages, true)).mul(scale);
      return logSums.subtract(chosen).mul(0.5f / all());
    });
  }

  /// With z = scale·x·tᵀ + bias, of own pictures i: `1/n·(Σ_ij softplus(z_ij) − Σ of z over positives)`.
  public Tensor sigmoid(Tensor scale, Tensor bias) {
    return exactly(() -> {
      int pairs = 0;
      int[] counts = counts();
      for (int i = first; i < first + own(); i++) pairs += counts[groups[i]];
      var chosen = chosen(images, allTexts, false).mul(scale).add(bias.mul(pairs));
      return tiles(List.of(images), List.of(wide(allTexts), scale, bias), in ->
          in.get(0).matmul(false, in.get(1), true).mul(in.get(2)).add(in.get(3)).softplus().sum())
          .subtract(chosen).mul(1f / all());
    });
  }

  /// Of own rows `1/2n·Σ_i (ln Σ_j e^s_ij − Σ_j softmax(t)_ij·s_ij)`, of pictures and of captions; s the student's
  /// logits, t the teacher's.
  public Tensor distilled(Tensor scale, OwnRows teacher, Tensor teacherScale) {
    return exactly(() -> crossEntropy(new Tensor[] {images, teacher.images}, new Tensor[] {allTexts, teacher.allTexts},
        scale, teacherScale)
        .add(crossEntropy(new Tensor[] {texts, teacher.texts}, new Tensor[] {allImages, teacher.allImages}, scale,
        teacherScale)).mul(0.5f / all()));
  }

  private static Tensor crossEntropy(Tensor[] rows, Tensor[] columns, Tensor scale, Tensor teacherScale) {
    return tiles(List.of(rows), List.of(wide(columns[0]), wide(columns[1]), scale, teacherScale), in -> {
      var s = in.get(0).matmul(false, in.get(2), true).mul(in.get(4));                                 // [rows, n]
      var t = in.get(1).matmul(false, in.get(3), true).mul(in.get(5));
      return logSum(s).subtract(t.softmax().mul(s).sum());
    });
  }

  private static Tensor logSums(Tensor rows, Tensor columns, Tensor scale) {
    return tiles(List.of(rows), List.of(wide(columns), scale), in ->
        logSum(in.get(0).matmul(false, in.get(1), true).mul(in.get(2))));
  }

  /// Σ over rows of ln Σ e^z.
  private static Tensor logSum(Tensor z) {
    var largest = z.maxKeeping(1);                                                                       // [rows, 1]
    return z.subtract(largest).exp().sumKeeping(1).log().add(largest).sum();
  }

  /// Σ over own rows of their products with the columns of their group, or with their mean.
  private Tensor chosen(Tensor rows, Tensor columns, boolean mean) {
    int[] counts = counts(), mine = Arrays.copyOfRange(groups, first, first + own());
    var sums = wide(columns).scatterAdd(counts.length, Tensor.ofInts(Shape.of(groups.length), groups)).gather(mine);
    if (mean) {
      float[] shares = new float[mine.length];
      for (int i = 0; i < mine.length; i++) shares[i] = 1f / counts[mine[i]];
      sums = sums.mul(Tensor.of(Shape.of(mine.length, 1), shares));
    }
    return wide(rows).mul(sums).sum();
  }

  /// How many pairs each group has.
  private int[] counts() {
    int[] r = new int[Arrays.stream(groups).max().orElse(-1) + 1];
    for (int g : groups) r[g]++;
    return r;
  }

  /// Σ over tiles of rows of what `f` makes of them and of what all tiles read; backward makes each tile again.
  private static Tensor tiles(List<Tensor> rows, List<Tensor> beside, Function<List<Tensor>, Tensor> f) {
    int n = rows.getFirst().dim(0);
    Tensor sum = null;
    for (int from = 0; from < n; from += ROWS) {
      int first = from, end = Math.min(n, from + ROWS);
      var in = new ArrayList<Tensor>();
      for (var r : rows) in.add(wide(r).slice(0, first, end));
      in.addAll(beside);
      var part = Grad.checkpoint(in, t -> List.of(f.apply(t))).getFirst();
      sum = sum == null ? part : sum.add(part);
    }
    return sum;
  }

  /// The losses are F32 whatever the features are.
  private static Tensor exactly(Supplier<Tensor> f) { return Pass.current().precision(Precision.FP32).call(f::get); }

  private static Tensor wide(Tensor x) { return x.cast(DType.F32); }
}
