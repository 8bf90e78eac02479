package jacquard.clip.model.modern;

import jacquard.autograd.Named;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;

/// A learned query attends to the rows of a sequence (`map`). Query `[1, 1, width]`; the norms may be null.
record QueryPool(Tensor query, Linear q, Linear kv, @Named("q_norm") Norm normQuery, @Named("k_norm") Norm normKeys,
    int heads) {
  static QueryPool of(Init.Maker make, ModernTextConfig c) {
    int w = c.width(), head = w / c.heads();
    var start = new Init.Normal(1 / Math.sqrt(w));
    boolean qk = c.options().queryKeyNorm();
    return new QueryPool(make.make(start, 1, 1, w), ModernBlock.linear(make, w, w, start, c.attentionBias(),
        Init.ZEROS),
        ModernBlock.linear(make, w, 2 * w, start, c.attentionBias(), Init.ZEROS), qk ? Norm.of(make, head, c) : null,
            qk ? Norm.of(make, head, c) : null,
        c.heads());
  }

  /// `[sequences, width]`
  Tensor apply(Tensor x, Sequences sequences) {
    int w = x.dim(1);
    var parts = kv.apply(x).split(1, w, w);
    Tensor asked = q.apply(query.reshape(1, w)), keys = parts.get(0);
    if (normQuery != null) {
      asked = normQuery.perHead(asked, heads);
      keys = normKeys.perHead(keys, heads);
    }
    var one = Sequences.equal(sequences.count(), 1);
    var op = new Attention(heads, (float) (1 / Math.sqrt(w / heads)), one, sequences, Ranges.full(one, sequences));
    return Tensor.apply(op, asked.gather(new int[sequences.count()]), keys, parts.get(1));
  }
}
