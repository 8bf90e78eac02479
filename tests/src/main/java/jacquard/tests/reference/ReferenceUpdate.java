package jacquard.tests.reference;

import jacquard.tensor.op.Update;
import java.util.List;

/// The updates element by element; the results are the new values of what is written.
final class ReferenceUpdate {
  private ReferenceUpdate() {}

  static List<Exact> apply(Update op, List<Exact> in) {
    if (op instanceof Update.Together t) {
      var all = new java.util.ArrayList<Exact>();
      t.each(in, (u, part) -> all.addAll(apply(u, part)));
      return all;
    }
    int n = in.getFirst().size();
    var r = new Real[op.written().length][n];
    for (int i = 0; i < n; i++) {
      Real p = in.get(0).get(i);
      switch (op) {
        case Update.AdamW(var rate, var b1, var b2, var epsilon, var decay, var step, var factor) -> {
          Real g = in.get(3).get(i).times(factor), m = blend(in.get(1).get(i), b1, g), v =
              blend(in.get(2).get(i), b2, g.times(g));
          r[0][i] = p.times(1 - rate * decay)
              .minus(m.times(rate / (1 - Math.pow(b1, step))).over(root(v, b2, step, epsilon)));
          r[1][i] = m;
          r[2][i] = v;
        }
        case Update.NAdamW(var rate, var b1, var b2, var epsilon, var decay, var step, var ofGradient, var ofMoment,
            var factor) -> {
          Real g = in.get(3).get(i).times(factor), m = blend(in.get(1).get(i), b1, g), v =
              blend(in.get(2).get(i), b2, g.times(g));
          r[0][i] = p.times(1 - rate * decay)
              .minus(g.times(rate * ofGradient).plus(m.times(rate * ofMoment)).over(root(v, b2, step, epsilon)));
          r[1][i] = m;
          r[2][i] = v;
        }
        case Update.Descent(var rate, var momentum, var nesterov, var decay, var factor) -> {
          Real g = in.get(2).get(i).times(factor).plus(p.times(decay)), m = in.get(1).get(i).times(momentum).plus(g);
          r[0][i] = p.minus((nesterov ? g.plus(m.times(momentum)) : m).times(rate));
          r[1][i] = m;
        }
        case Update.Together t -> throw new IllegalStateException(t.toString());
        case Update.Blend(var share, var scale) ->
            r[0][i] = p.times(1 - share).plus(in.get(1).get(i).times(share * (double) scale));
      }
    }
    return java.util.Arrays.stream(r).map(v -> new Exact(in.getFirst().shape(), v)).toList();
  }

  private static Real blend(Real old, double beta, Real g) { return old.times(beta).plus(g.times(1 - beta)); }

  private static Real root(Real v, double beta, long step, double epsilon) {
    return v.sqrt().times(1 / Math.sqrt(1 - Math.pow(beta, step))).plus(epsilon);
  }
}
