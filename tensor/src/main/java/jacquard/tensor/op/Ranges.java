package jacquard.tensor.op;

import jacquard.tensor.Sequences;
import jacquard.tensor.Type;
import java.util.Arrays;
import java.util.List;

/// For each query row the contiguous range of key rows that it attends to: `from[q] … to[q]−1`.
public record Ranges(int[] from, int[] to) {

  /// Fails unless each query's range lies within the keys of its own sequence, where kernels look for it. A range may
  /// be empty.
  void check(Attention op, List<Type> in) {
    Sequences queries = op.queries(), keys = op.keys();
    if (queries.count() != keys.count())
      throw Op.mismatch(op, in, "as many sequences of queries as of keys, not " + queries.count() + " and "
          + keys.count());
    if (from.length != queries.rows() || to.length != queries.rows())
      throw Op.mismatch(op, in, "a range for each of " + queries.rows() + " queries, not " + from.length
          + " beginnings and " + to.length + " ends");
    for (int s = 0; s < queries.count(); s++)
      for (int q = queries.from(s); q < queries.to(s); q++)
        if (from[q] < keys.from(s) || to[q] < from[q] || to[q] > keys.to(s))
          throw Op.mismatch(op, in, "query " + q + " to see keys of its sequence, within " + keys.from(s) + " … "
              + keys.to(s) + ", not " + from[q] + " … " + to[q]);
  }

  /// Every query sees all keys of its sequence.
  public static Ranges full(Sequences queries, Sequences keys) {
    var r = new Ranges(new int[queries.rows()], new int[queries.rows()]);
    for (int s = 0; s < queries.count(); s++) {
      Arrays.fill(r.from, queries.from(s), queries.to(s), keys.from(s));
      Arrays.fill(r.to, queries.from(s), queries.to(s), keys.to(s));
    }
    return r;
  }

  /// A query at position p sees the keys of its sequence at positions ≤ p. Key positions ascend within a sequence.
  public static Ranges causal(Sequences queries, Sequences keys) {
    var r = full(queries, keys);
    for (int s = 0; s < queries.count(); s++)
      for (int q = queries.from(s); q < queries.to(s); q++) {
        int end = keys.from(s);
        while (end < keys.to(s) && keys.positions()[end] <= queries.positions()[q]) end++;
        r.to[q] = end;
      }
    return r;
  }

  @Override public boolean equals(Object o) {
    return o instanceof Ranges r && Arrays.equals(from, r.from) && Arrays.equals(to, r.to);
  }
  @Override public int hashCode() { return 31 * Arrays.hashCode(from) + Arrays.hashCode(to); }
  @Override public String toString() { return "ranges of " + from.length + " queries"; }
}
