package jacquard.clip.nn.transformer;

import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;
import java.util.List;
import java.util.stream.Stream;

/// The keys and values of what a block has read so far, for a model that reads a row of each sequence at a time. They
/// outlive the scope of a step by one: each step keeps what it made in the scope around it and ends what it replaced.
public final class Cache {
  private Tensor keys, values;
  private Sequences sequences;

  public static List<Cache> of(int blocks) { return Stream.generate(Cache::new).limit(blocks).toList(); }

  /// Takes one more row of each sequence.
  ///
  /// @param seen which of them may be looked at, by themselves too; null: all
  void add(Tensor k, Tensor v, boolean[] seen) {
    int count = k.dim(0), old = keys == null ? 0 : keys.dim(0), at = 0;
    int[] lengths = new int[count];
    for (int s = 0; s < count; s++)
      lengths[s] = (keys == null ? 0 : sequences.length(s)) + (seen == null || seen[s] ? 1 : 0);
    var next = Sequences.ofLengths(lengths);
    int[] rows = new int[next.rows()];
    for (int s = 0; s < count; s++) {
      for (int r = 0; keys != null && r < sequences.length(s); r++) rows[at++] = sequences.from(s) + r;
      if (seen == null || seen[s]) rows[at++] = old + s;
    }
    replace(keys == null ? k.gather(rows) : Tensor.concat(0, List.of(keys, k)).gather(rows), values == null
        ? v.gather(rows) : Tensor.concat(0, List.of(values, v)).gather(rows), next);
  }

  /// Goes on with these sequences, one of them perhaps several times.
  public void pick(int[] picked) {
    int[] lengths = new int[picked.length];
    for (int i = 0; i < picked.length; i++) lengths[i] = sequences.length(picked[i]);
    var next = Sequences.ofLengths(lengths);
    int[] rows = new int[next.rows()];
    for (int i = 0; i < picked.length; i++)
      for (int r = 0; r < lengths[i]; r++) rows[next.from(i) + r] = sequences.from(picked[i]) + r;
    replace(keys.gather(rows), values.gather(rows), next);
  }

  /// What a query of each sequence finds.
  Tensor attend(Tensor q, int heads, float scale) {
    var one = Sequences.equal(q.dim(0), 1);
    return Tensor.apply(new Attention(heads, scale, one, sequences, Ranges.full(one, sequences)), q, keys, values);
  }

  private void replace(Tensor k, Tensor v, Sequences s) {
    if (keys != null) {
      keys.end();
      values.end();
    }
    keys = Scope.current().keep(k);
    values = Scope.current().keep(v);
    sequences = s;
  }
}
