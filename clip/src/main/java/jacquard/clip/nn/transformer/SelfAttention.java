package jacquard.clip.nn.transformer;

import jacquard.autograd.Named;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Ranges;

/// Multi-head self-attention as OpenCLIP's: a packed projection of queries, keys and values `[3·width, width]`, heads,
/// and an output projection. Optional, each null when absent: norms of q and k per
/// head, a cosine attention's scale a head (in place of 1/√d, its log clamped at ln 100), a factor a head on the output
/// `[heads, 1, 1]`, a norm before the output projection.
public record SelfAttention(@Named("") Linear packed, @Named("out_proj") Linear out,
    @Named("ln_q") LayerNorm normQueries, @Named("ln_k") LayerNorm normKeys,
    @Named("logit_scale") Tensor cosineScale, @Named("head_scale") Tensor headScale,
    @Named("ln_inner") LayerNorm normInner, int heads) {

  /// Attends for all rows of x `[rows, width]`, or only for `rows` of them (null: all); plus `added`, which may be
  /// null.
  public Tensor apply(Tensor x, Sight sight, int[] rows, Tensor added) {
    int width = x.dim(1);
    if (rows == null) {
      var parts = packed.apply(x).split(1, width, width, width);
      return finished(parts.get(0), parts.get(1), added,
          (q, k, scale) -> sight.attend(heads, scale, null, q, k, parts.get(2)));
    }
    var asked = packed.rows(0, width).apply(x.gather(rows));
    var parts = packed.rows(width, 3 * width).apply(x).split(1, width, width);
    return finished(asked, parts.get(0), added,
        (q, k, scale) -> sight.attend(heads, scale, rows, q, k, parts.get(1)));
  }

  /// Of one more row of each sequence; see [Block#apply(Tensor, Cache, boolean[])].
  Tensor apply(Tensor x, Cache cache, boolean[] seen, Tensor added) {
    int width = x.dim(1);
    var parts = packed.apply(x).split(1, width, width, width);
    return finished(parts.get(0), parts.get(1), added, (q, k, scale) -> {
      cache.add(k, parts.get(2), seen);
      return cache.attend(q, heads, scale);
    });
  }

  @FunctionalInterface
  private interface Attend { Tensor of(Tensor q, Tensor k, float scale); }

  private Tensor finished(Tensor q, Tensor k, Tensor added, Attend attend) {
    int width = q.dim(1);
    float scale = (float) (1 / Math.sqrt(width / heads));
    if (normQueries != null) {
      q = perHead(q, normQueries);
      k = perHead(k, normKeys);
    }
    if (cosineScale != null) {
      scale = 1;
      var factor = cosineScale.clamp(-Float.MAX_VALUE, (float) Math.log(100)).exp();                // [heads, 1, 1]
      q = scaled(q.reshape(q.dim(0) * heads, width / heads).normalize(), factor, q.shape());
      k = k.reshape(k.dim(0) * heads, width / heads).normalize().reshape(k.shape());
    }
    var o = attend.of(q, k, scale);
    if (headScale != null) o = scaled(o, headScale, o.shape());
    return out.apply(normInner == null ? o : normInner.apply(o), added);
  }

  private Tensor perHead(Tensor x, LayerNorm norm) {
    return norm.apply(x.reshape(x.dim(0) * heads, x.dim(1) / heads)).reshape(x.shape());
  }

  /// A factor a head on rows of shape `to`.
  private Tensor scaled(Tensor x, Tensor factor, Shape to) {
    return x.reshape(to.dim(0), heads, to.dim(1) / heads).mul(factor.reshape(heads, 1)).reshape(to);
  }

  /// The sequences of some rows, one or more of each, in order.
  public static Sequences picked(Sequences s, int[] rows) {
    int[] offsets = new int[s.count() + 1], positions = new int[rows.length];
    for (int i = 0, at = 0; i < s.count(); i++) {
      while (at < rows.length && rows[at] < s.to(i)) at++;
      offsets[i + 1] = at;
    }
    for (int i = 0; i < rows.length; i++) positions[i] = s.positions()[rows[i]];
    return new Sequences(offsets, positions);
  }

  public static Ranges picked(Ranges r, int[] rows) {
    int[] from = new int[rows.length], to = new int[rows.length];
    for (int i = 0; i < rows.length; i++) {
      from[i] = r.from()[rows[i]];
      to[i] = r.to()[rows[i]];
    }
    return new Ranges(from, to);
  }
}
