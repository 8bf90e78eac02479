package jacquard.clip.nn;

import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/// What is left out by chance while training; in evaluation nothing. What stays is divided by 1 − share, so that sums
/// stay as they are in the mean.
/// Draws follow from seed, step, sample and site alone: the same in any micro-batch, on any rank, and when a block is
/// run again.
///
/// @param share how much is left out, 0 or more and below 1
/// @param site  where; each place of a model has its own
public record Drop(double share, String site) {
  public static final Drop NONE = new Drop(0, "");
  private static final float UNSEEN = -1e30f;

  public Drop {
    if (!(share >= 0 && share < 1))
      throw new IllegalArgumentException("a share of " + share
          + " is left out by chance, expected 0 or more and below 1");
  }

  /// Of `count` blocks one behind the other: nothing in the first, `most` in the last, rising evenly between.
  public static List<Drop> rising(double most, int count, String site) {
    return IntStream.range(0, count)
        .mapToObj(i -> new Drop(count == 1 ? 0 : most * i / (count - 1), site + "." + i)).toList();
  }

  public boolean active() { return share > 0 && Pass.current().training(); }

  private Random key(int at, int sample) { return Pass.current().key("drop " + site + " " + at, sample); }

  /// Stochastic depth (Huang et al. 2016): a branch `[rows, width]`, without the rows of some samples.
  ///
  /// @param at the branch's number at this site
  public Tensor path(Tensor branch, Sequences s, int at) {
    if (!active()) return branch;
    float[] factors = new float[branch.dim(0)];
    for (int b = 0; b < s.count(); b++) {
      float f = key(at, b).uniform(0) < share ? 0 : (float) (1 / (1 - share));
      for (int r = s.from(b); r < s.to(b); r++) factors[r] = f;
    }
    return branch.mul(Tensor.of(Shape.of(factors.length, 1), factors));
  }

  /// x and a branch beside it, which may be left out.
  ///
  /// @param branch gives itself plus what it is given, which may be null
  public Tensor beside(Tensor x, UnaryOperator<Tensor> branch, Sequences s, int at) {
    return active() ? x.add(path(branch.apply(null), s, at)) : branch.apply(x);
  }

  /// The same of samples of equally many rows.
  public Tensor path(Tensor branch, int rows, int at) {
    return active() ? path(branch, Sequences.equal(branch.dim(0) / rows, rows), at) : branch;
  }

  /// Dropout (Srivastava et al. 2014): `[rows, width]` without some elements, which a row's position in its sequence
  /// and the channel number.
  public Tensor elements(Tensor x, Sequences s, int at) {
    if (!active()) return x;
    int w = x.dim(1);
    float[] factors = new float[x.dim(0) * w];
    // drawn here: other threads do not see this one's pass
    var keys = IntStream.range(0, s.count()).mapToObj(b -> key(at, b)).toList();
    IntStream.range(0, s.count()).parallel().forEach(b -> {
      var key = keys.get(b);
      for (int r = s.from(b); r < s.to(b); r++) draw(key, (long) s.positions()[r] * w, factors, r * w, w);
    });
    return x.mul(Tensor.of(x.shape(), factors));
  }

  /// x and what is added to it, of which elements are left out.
  ///
  /// @param branch gives itself plus what it is given, which may be null
  public Tensor added(Tensor x, UnaryOperator<Tensor> branch, Sequences s, int at) {
    return active() ? x.add(elements(branch.apply(null), s, at)) : branch.apply(x);
  }

  private void draw(Random key, long first, float[] into, int from, int n) {
    float kept = (float) (1 / (1 - share));
    for (int i = 0; i < n; i++) into[from + i] = key.uniform(first + i) < share ? 0 : kept;
  }

  /// Attention without some of its probabilities. No kernel does this, so that it is composed sequence by sequence and
  /// head by head.
  ///
  /// @param in queries, keys, values, and the bias where the op has one
  public Tensor attention(Attention op, List<Tensor> in, int at) {
    if (!active()) return Tensor.applyAll(op, in).getFirst();
    Tensor q = in.get(0), k = in.get(1), v = in.get(2);
    int d = q.dim(1) / op.heads();
    var rows = new ArrayList<Tensor>();
    for (int b = 0; b < op.queries().count(); b++) {
      int from = op.queries().from(b), to = op.queries().to(b), first = op.keys().from(b), end = op.keys().to(b);
      if (from == to) continue;
      var key = key(at, b);
      var unseen = unseen(op, from, to, first, end);
      var heads = new ArrayList<Tensor>();
      for (int h = 0; h < op.heads(); h++) {
        var scores = part(q, from, to, h, d).matmul(false, part(k, first, end, h, d), true).mul(op.scale());
        if (in.size() > 3) {
          int place = op.queries().positions()[from];
          scores = scores.add(in.get(3).slice(0, h, h + 1).reshape(in.get(3).dim(1), in.get(3).dim(2))
              .slice(0, place, place + to - from).slice(1, 0, end - first));
        }
        float[] factors = new float[(to - from) * (end - first)];
        for (int r = from; r < to; r++)
          draw(key, ((long) h << 40) + ((long) op.queries().positions()[r] << 20), factors, (r - from) * (end - first),
              end - first);
        var kept = Tensor.of(Shape.of(to - from, end - first), factors);
        heads.add((unseen == null ? scores : scores.add(unseen)).softmax().mul(kept).matmul(part(v, first, end, h, d)));
      }
      rows.add(Tensor.concat(1, heads));
    }
    return Tensor.concat(0, rows);
  }

  private static Tensor part(Tensor x, int from, int to, int head, int d) {
    return x.slice(0, from, to).slice(1, head * d, head * d + d).dense();
  }

  /// What keeps queries from keys that they do not see; null where they see all.
  private static Tensor unseen(Attention op, int from, int to, int first, int end) {
    float[] r = new float[(to - from) * (end - first)];
    boolean any = false;
    for (int i = from; i < to; i++)
      for (int j = first; j < end; j++)
        if (j < op.ranges().from()[i] || j >= op.ranges().to()[i]) {
          r[(i - from) * (end - first) + j - first] = UNSEEN;
          any = true;
        }
    return any ? Tensor.of(Shape.of(to - from, end - first), r) : null;
  }
}
