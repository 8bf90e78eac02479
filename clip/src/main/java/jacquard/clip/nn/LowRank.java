package jacquard.clip.nn;

import jacquard.autograd.Named;
import jacquard.tensor.Interpreter;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.ArrayList;
import java.util.List;

/// A linear layer and what was learned beside it: W′ = W + s·B·A (LoRA, Hu et al. 2021), for all outputs or for some,
/// each with a pair of its own. With a magnitude m (DoRA, Liu et al. 2024): W′ = m ⊙ (W + s·B·A)/‖W + s·B·A‖, the norms
/// of rows, which are constants in backward. Trained as two thin products; [#merged] for use.
///
/// @param pairs of outputs that do not overlap, in their order
/// @param drop  what of their input is left out while they are trained, for each pair by itself
public record LowRank(@Named("") Linear base, @Named("lora") List<Pair> pairs, Drop drop) implements Linear {
  public LowRank(Linear base, List<Pair> pairs) { this(base, pairs, Drop.NONE); }

  /// @param down      A `[rank, in]`
  /// @param up        B `[to − from, rank]`
  /// @param magnitude m `[to − from]`, or null
  /// @param scale     s
  /// @param from,to   the outputs that it changes
  public record Pair(@Named("lora_A") Tensor down, @Named("lora_B") Tensor up,
      @Named("lora_magnitude_vector") Tensor magnitude, float scale, int from, int to) {
    /// What the pair adds to its outputs, `[n, to − from]`.
    Tensor apply(Tensor x, Drop drop) {
      var seen = drop.active() ? drop.elements(x, Sequences.equal(1, x.dim(0)), from) : x;
      return seen.matmul(false, down, true).matmul(false, up, true).mul(scale);
    }

    /// W′ of its rows W `[to − from, in]`.
    Tensor weight(Tensor rows) {
      var sum = rows.add(up.matmul(down).mul(scale));
      return magnitude == null ? sum : sum.mul(magnitude.divide(norms(rows)).reshape(to - from, 1));
    }

    /// ‖W + s·B·A‖ of each row, as a constant. `[to − from]`
    private Tensor norms(Tensor rows) {
      return ScopedValue.where(Interpreter.CURRENT, Interpreter.PLAIN).call(() -> {
        var sum = rows.add(up.matmul(down).mul(scale));
        return sum.mul(sum).sum(1).sqrt();
      });
    }

    private Pair within(int first, int last) {
      int f = Math.max(from, first), t = Math.min(to, last);
      if (f >= t) return null;
      return new Pair(down, up.slice(0, f - from, t - from), magnitude == null ? null
          : magnitude.slice(0, f - from, t - from), scale, f - first, t - first);
    }
  }

  @Override public Tensor weight() { return base.weight(); }
  @Override public Tensor bias() { return base.bias(); }

  @Override public Tensor apply(Tensor x, Activation activation, Tensor added) {
    boolean plain = pairs.stream().allMatch(p -> p.magnitude == null), last = activation == Activation.NONE;
    Tensor y;
    if (plain) {
      // what the pairs add is as wide as the output, and ends here
      y = Scope.result(() -> base.apply(x, more(x, last ? added : null)));
      if (last) return y;
    } else y = Scope.result(() -> whole(parts().stream().map(p -> p.apply(base, x, drop)).toList()));
    y = y.activate(activation);
    return added == null ? y : y.add(added);
  }

  /// What all pairs add, plus what is added, which may be null. Without dropout it is one product through all ranks:
  /// x·[A₁ … ]ᵀ times a matrix with s·B of each pair at its outputs and ranks, and 0 elsewhere.
  private Tensor more(Tensor x, Tensor added) {
    if (drop.active()) {
      var all = whole(parts().stream().map(p -> p.pair == null
          ? Tensor.zeros(x.shape().with(1, p.to - p.from)) : p.pair.apply(x, drop)).toList());
      return added == null ? all : all.add(added);
    }
    int ranks = pairs.stream().mapToInt(p -> p.down.dim(0)).sum(), before = 0;
    var up = new ArrayList<Tensor>();
    for (var p : parts()) {
      int rank = p.pair == null ? 0 : p.pair.down.dim(0), outs = p.to - p.from;
      var row = new ArrayList<Tensor>();
      if (before > 0) row.add(Tensor.zeros(Shape.of(outs, before)));
      if (rank > 0) row.add(p.pair.up.mul(p.pair.scale));
      if (before + rank < ranks) row.add(Tensor.zeros(Shape.of(outs, ranks - before - rank)));
      up.add(Tensor.concat(1, row));
      before += rank;
    }
    return x.matmul(false, Tensor.concat(0, pairs.stream().map(Pair::down).toList()), true)
        .linear(Tensor.concat(0, up), null, Activation.NONE, added);
  }

  @Override public Linear rows(int from, int to) {
    if (from == 0 && to == weight().dim(0)) return this;
    var some = pairs.stream().map(p -> p.within(from, to)).filter(p -> p != null).toList();
    return some.isEmpty() ? base.rows(from, to) : new LowRank(base.rows(from, to), some, drop);
  }

  /// The layer alone, with W′ as its weight.
  public Linear merged() {
    var weight = Tensor.concat(0, parts().stream().map(p -> {
      var rows = weight().slice(0, p.from, p.to);
      return p.pair == null ? rows : p.pair.weight(rows);
    }).toList());
    return switch (base) {
      case Packed p -> new Packed(weight, p.bias());
      case Dense d -> new Dense(weight, d.bias());
      case LowRank _ -> throw new IllegalStateException("an adapter around an adapter");
    };
  }

  private static Tensor whole(List<Tensor> parts) { return parts.size() == 1 ? parts.getFirst()
      : Tensor.concat(1, parts); }

  /// Outputs with a pair, or without one (null).
  private record Part(int from, int to, Pair pair) {
    Tensor apply(Linear base, Tensor x, Drop drop) {
      var rows = base.rows(from, to);
      if (pair == null) return rows.apply(x);
      if (pair.magnitude == null) return rows.apply(x, pair.apply(x, drop));
      var y = x.matmul(false, rows.weight(), true).add(pair.apply(x, drop))
          .mul(pair.magnitude.divide(pair.norms(rows.weight())));
      return rows.bias() == null ? y : y.add(rows.bias());
    }
  }

  private List<Part> parts() {
    var r = new ArrayList<Part>();
    int at = 0;
    for (var p : pairs) {
      if (p.from > at) r.add(new Part(at, p.from, null));
      r.add(new Part(p.from, p.to, p));
      at = p.to;
    }
    if (at < weight().dim(0)) r.add(new Part(at, weight().dim(0), null));
    return r;
  }
}
