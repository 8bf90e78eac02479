package jacquard.clip.model.hf.decoder;

import jacquard.autograd.Named;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.RmsNorm;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// x + o(attention(norm x)), then x + down(act(gate y)·up y), y = norm x; the outer norms and what else is absent are
/// null.
record Layer(@Named("input_layernorm") RmsNorm norm1, @Named("self_attn") Attend attention,
    @Named("post_attention_layernorm") RmsNorm middle,
    @Named("pre_feedforward_layernorm")
    RmsNorm norm2, @Named("mlp") Mlp mlp, @Named("post_feedforward_layernorm") RmsNorm after2) {
  record Attend(@Named("qkv_proj") Linear packed, @Named("q_proj") Linear q, @Named("k_proj") Linear k,
      @Named("v_proj") Linear v,
      @Named("o_proj") Linear out, @Named("q_norm") RmsNorm normQueries, @Named("k_norm") RmsNorm normKeys) {}

  record Mlp(@Named("gate_up_proj") Linear packed, @Named("gate_proj") Linear gate, @Named("up_proj") Linear up,
      @Named("down_proj") Linear down) {
    Tensor apply(Tensor x, Shape s) {
      if (packed == null) return down.apply(gate.apply(x, s.activation()).mul(up.apply(x)));
      var parts = packed.apply(x).split(1, s.hidden(), s.hidden());
      return down.apply(parts.get(0).activate(s.activation()).mul(parts.get(1)));
    }
  }

  static Layer of(Init.Maker make, Shape s) {
    int w = s.width(), q = s.heads() * s.perHead(), k = s.shared() * s.perHead();
    boolean f = s.fused();
    var attention = new Attend(f ? linear(make, w, q + 2 * k, false) : null, f ? null : linear(make, w, q, s.biased()),
        f ? null : linear(make, w, k, s.biased()),
        f ? null : linear(make, w, k, s.biased()), linear(make, q, w, false), s.normed() ? norm(make, s, s.perHead())
        : null,
        s.normed() ? norm(make, s, s.perHead()) : null);
    var mlp = new Mlp(f ? linear(make, w, 2 * s.hidden(), false) : null, f ? null : linear(make, w, s.hidden(), false),
        f ? null : linear(make, w, s.hidden(), false), linear(make, s.hidden(), w, false));
    return new Layer(norm(make, s, w), attention, norm(make, s, w), s.normsAfter() ? norm(make, s, w) : null, mlp,
        s.normsAfter() ? norm(make, s, w) : null);
  }

  private static Linear linear(Init.Maker make, int in, int out, boolean biased) {
    return Linear.of(make, in, out, new Init.Normal(0.02), biased ? Init.ZEROS : null);
  }

  static RmsNorm norm(Init.Maker make, Shape s, int width) {
    return new RmsNorm(make.make(s.plusOne() ? Init.ZEROS : Init.ONES, width), s.epsilon());
  }

  static Tensor normed(RmsNorm norm, Tensor x, Shape s) {
    return s.plusOne() ? new RmsNorm(norm.weight().add(1), norm.epsilon()).apply(x) : norm.apply(x);
  }

  Tensor apply(Tensor x, Sequences sequences, Ranges seen, Rotary rotary, Shape s) {
    var a = attend(normed(norm1, x, s), sequences, seen, rotary, s);
    x = x.add(s.normsAfter() ? normed(middle, a, s) : a);
    var m = mlp.apply(normed(s.normsAfter() ? norm2 : middle, x, s), s);
    return x.add(s.normsAfter() ? normed(after2, m, s) : m);
  }

  private Tensor attend(Tensor x, Sequences sequences, Ranges seen, Rotary rotary, Shape s) {
    int d = s.perHead(), rows = x.dim(0);
    Tensor q, k, v;
    if (attention.packed != null) {
      var parts = attention.packed.apply(x).split(1, s.heads() * d, s.shared() * d, s.shared() * d);
      q = parts.get(0);
      k = parts.get(1);
      v = parts.get(2);
    } else {
      q = attention.q.apply(x);
      k = attention.k.apply(x);
      v = attention.v.apply(x);
    }
    if (attention.normQueries != null) {
      q = normed(attention.normQueries, q.reshape(rows * s.heads(), d), s).reshape(rows, s.heads() * d);
      k = normed(attention.normKeys, k.reshape(rows * s.shared(), d), s).reshape(rows, s.shared() * d);
    }
    q = turned(q, sequences, rotary, s.heads(), d);
    k = each(turned(k, sequences, rotary, s.shared(), d), s);
    v = each(v, s);
    var op = new Attention(s.heads(), (float) s.scale(), sequences, sequences, seen);
    return attention.out.apply(s.softCap() == 0 ? Tensor.apply(op, q, k, v) : capped(q, k, v, op, s));
  }

  /// The first channels of each head turned, the others as they are.
  private static Tensor turned(Tensor x, Sequences sequences, Rotary rotary, int heads, int d) {
    int rows = x.dim(0), some = rotary.channels();
    var rotation = rotary.rotation(sequences, heads);
    if (some == d) return rotation.apply(x);
    var parts = x.reshape(rows * heads, d).split(1, some, d - some);
    return Tensor.concat(1, List.of(rotation.apply(parts.get(0).reshape(rows, heads * some))
        .reshape(rows * heads, some), parts.get(1))).reshape(rows, heads * d);
  }

  /// Keys or values for each head of queries: head h has those of h·shared/heads.
  private static Tensor each(Tensor x, Shape s) {
    if (s.shared() == s.heads()) return x;
    int rows = x.dim(0), h = s.heads(), k = s.shared();
    return x.reshape(rows * k, s.perHead())
        .gather(IntStream.range(0, rows * h).map(i -> i / h * k + i % h * k / h).toArray())
        .reshape(rows, h * s.perHead());
  }

  /// Attention whose scores are capped before the softmax, sequence by sequence and head by head: no kernel does this.
  private static Tensor capped(Tensor q, Tensor k, Tensor v, Attention op, Shape s) {
    int d = s.perHead();
    float cap = (float) s.softCap();
    var rows = new ArrayList<Tensor>();
    for (int b = 0; b < op.queries().count(); b++) {
      int from = op.queries().from(b), to = op.queries().to(b), n = to - from;
      float[] hidden = new float[n * n];
      for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
          hidden[i * n + j] = from + j >= op.ranges().from()[from + i] && from + j < op.ranges().to()[from + i] ? 0
              : -1e30f;
      var mask = Tensor.of(jacquard.tensor.Shape.of(n, n), hidden);
      var heads = new ArrayList<Tensor>();
      for (int h = 0; h < s.heads(); h++) {
        Tensor qh = q.slice(0, from, to).slice(1, h * d, h * d + d), kh =
            k.slice(0, from, to).slice(1, h * d, h * d + d), vh = v.slice(0, from, to).slice(1, h * d, h * d + d);
        heads.add(qh.matmul(false, kh, true).mul(op.scale() / cap).tanh().mul(cap).add(mask).softmax().matmul(vh));
      }
      rows.add(Tensor.concat(1, heads));
    }
    return Tensor.concat(0, rows);
  }
}
