package jacquard.clip.model.timm;

import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Attention;
import jacquard.tensor.op.Ranges;

/// A learned query attends to the rows of a sequence (`map`), then x + mlp(norm(x)). Latent `[1, 1, width]`.
public record LatentPool(Tensor latent, Linear q, Linear kv, Linear proj, LayerNorm norm, TimmMlp mlp, int heads) {
  public static LatentPool of(Init.Maker make, int width, int heads, int hidden, float epsilon, Activation activation) {
    return new LatentPool(make.make(new Init.Truncated(1 / Math.sqrt(width)), 1, 1, width),
        VitBlock.linear(make, width, width, true),
        VitBlock.linear(make, width, 2 * width, true), VitBlock.linear(make, width, width, true),
        LayerNorm.of(make, width, epsilon),
        TimmMlp.of(make, width, hidden, activation), heads);
  }

  /// `[sequences, width]`
  public Tensor apply(Tensor x, Sequences sequences) {
    int width = x.dim(1), count = sequences.count();
    var one = Sequences.equal(count, 1);
    var kv = kv().apply(x).split(1, width, width);
    var op = new Attention(heads, (float) (1 / Math.sqrt(width / heads)), one, sequences, Ranges.full(one, sequences));
    var y = proj.apply(Tensor.apply(op, q.apply(latent.reshape(1, width)).gather(new int[count]), kv.get(0),
        kv.get(1)));
    return mlp.apply(norm.apply(y), y);
  }
}
