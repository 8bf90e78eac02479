package jacquard.clip.model.hf;

import jacquard.autograd.Named;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;

/// A post-norm block: y = norm(x + dense(attention(x))), then norm(y + dense(activation(dense(y)))). Devlin et al.
/// 2018.
record BertLayer(Attend attention, Dense intermediate, Sum output, int heads, Activation activation) {
  record Attend(@Named("self") Self self, Sum output) {}

  record Self(Linear query, Linear key, Linear value) {}

  record Dense(Linear dense) {}

  record Sum(Linear dense, @Named("LayerNorm") LayerNorm norm) {
    Tensor apply(Tensor x, Tensor added) { return norm.apply(dense.apply(x, added)); }
  }

  static BertLayer of(Init.Maker make, BertShape s) {
    int w = s.width();
    return new BertLayer(new Attend(new Self(linear(make, w, w), linear(make, w, w), linear(make, w, w)),
        sum(make, w, w, s.epsilon())),
        new Dense(linear(make, w, s.hidden())), sum(make, s.hidden(), w, s.epsilon()), s.heads(), s.activation());
  }

  static Linear linear(Init.Maker make, int in, int out) {
    return Linear.of(make, in, out, new Init.Normal(0.02), Init.ZEROS);
  }

  private static Sum sum(Init.Maker make, int in, int out, float epsilon) {
    return new Sum(linear(make, in, out), LayerNorm.of(make, out, epsilon));
  }

  /// All rows, or only `rows` of the result (null: all).
  Tensor apply(Tensor x, Captions c, int[] rows) {
    var from = rows == null ? x : x.gather(rows);
    var self = attention.self;
    var op = c.attention(heads, (float) (1 / Math.sqrt(x.dim(1) / heads)), c.ranges(), rows);
    var y = attention.output.apply(Tensor.apply(op, self.query.apply(from), self.key.apply(x), self.value.apply(x)),
        from);
    return output.apply(intermediate.dense.apply(y, activation), y);
  }
}
