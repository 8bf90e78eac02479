package jacquard.clip.model.hf.encoder;

import jacquard.autograd.Named;
import jacquard.clip.model.hf.CaptionRows;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.List;

/// A post-norm block: y = norm(x + dense(attention(x))), then norm(y + dense(activation(dense(y)))). Devlin et al.
/// 2018.
record BertLayer(Attend attention, Dense intermediate, Sum output, int heads, Activation activation,
    Drop drop, Drop attentionDrop) {
  record Attend(@Named("self") Self self, Sum output) {}

  record Self(Linear query, Linear key, Linear value) {}

  record Dense(Linear dense) {}

  record Sum(Linear dense, @Named("LayerNorm") LayerNorm norm) {
    Tensor apply(Tensor x, Tensor added, Drop drop, Sequences s, int at) {
      if (!drop.active()) return norm.apply(dense.apply(x, added));
      return norm.apply(drop.elements(dense.apply(x), s, at).add(added));
    }
  }

  static BertLayer of(Init.Maker make, BertShape s, int index) {
    int w = s.width();
    return new BertLayer(new Attend(new Self(linear(make, w, w), linear(make, w, w), linear(make, w, w)),
        sum(make, w, w, s.epsilon())),
        new Dense(linear(make, w, s.hidden())), sum(make, s.hidden(), w, s.epsilon()), s.heads(), s.activation(),
        new Drop(s.hiddenDrop(), "text.layer." + index),
            new Drop(s.attentionDrop(), "text.layer." + index + ".attention"));
  }

  static Linear linear(Init.Maker make, int in, int out) {
    return Linear.of(make, in, out, new Init.Normal(0.02), Init.ZEROS);
  }

  private static Sum sum(Init.Maker make, int in, int out, float epsilon) {
    return new Sum(linear(make, in, out), LayerNorm.of(make, out, epsilon));
  }

  /// All rows, or only `rows` of the result (null: all).
  Tensor apply(Tensor x, CaptionRows c, int[] rows) {
    var from = rows == null ? x : x.gather(rows);
    var self = attention.self;
    var op = c.attention(heads, (float) (1 / Math.sqrt(x.dim(1) / heads)), c.ranges(), rows);
    var o = attentionDrop.attention(op, List.of(self.query.apply(from), self.key.apply(x), self.value.apply(x)), 0);
    var y = attention.output.apply(o, from, drop, op.queries(), 0);
    return output.apply(intermediate.dense.apply(y, activation), y, drop, op.queries(), 1);
  }
}
