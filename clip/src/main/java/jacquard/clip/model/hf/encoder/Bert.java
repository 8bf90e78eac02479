package jacquard.clip.model.hf.encoder;

import jacquard.autograd.Named;
import jacquard.clip.model.hf.CaptionRows;
import jacquard.clip.model.hf.Encoder;
import jacquard.clip.model.hf.OwnConfig;
import jacquard.clip.model.hf.Table;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// BERT, RoBERTa and XLM-RoBERTa (Devlin et al. 2018).
///
/// @param pooler null where the tokens are pooled otherwise
public record Bert(Embeddings embeddings, Layers encoder, Pooler pooler, BertShape shape) implements Encoder {
  record Embeddings(@Named("word_embeddings") Table words, @Named("position_embeddings") Table positions,
      @Named("token_type_embeddings") Table kinds, @Named("LayerNorm") LayerNorm norm) {}

  record Layers(List<BertLayer> layer) {}

  /// tanh(dense(x)) of the first token.
  record Pooler(Linear dense) {}

  public static Bert of(OwnConfig config, Init.Maker make, boolean pooler) {
    var s = BertShape.of(config);
    int w = s.width();
    var embeddings = new Embeddings(Table.of(make, s.vocabulary(), w), Table.of(make, s.positions(), w),
        Table.of(make, s.kinds(), w),
        LayerNorm.of(make, w, s.epsilon()));
    var layers = new ArrayList<BertLayer>();
    for (int i = 0; i < s.layers(); i++) layers.add(BertLayer.of(make, s, i));
    return new Bert(embeddings, new Layers(List.copyOf(layers)), pooler ? new Pooler(BertLayer.linear(make, w, w))
        : null, s);
  }

  @Override public int pad() { return shape.pad(); }

  @Override public int width() { return shape.width(); }

  @Override public Tensor apply(CaptionRows c, int[] wanted) {
    var e = embeddings;
    var words = e.words.rows(c.ids(), shape.pad());
    var x = e.norm.apply(words.add(e.kinds.weight().slice(0, 0, 1))
        .add(e.positions.rows(positions(c), shape.counted() ? shape.pad() : -1)));
    x = new Drop(shape.hiddenDrop(), "text.embeddings").elements(x, c.sequences(), 0);
    for (int i = 0; i < encoder.layer.size(); i++) {
      var layer = encoder.layer.get(i);
      int[] only = i == encoder.layer.size() - 1 ? wanted : null;
      x = Transformer.once(x, t -> layer.apply(t, c, only));
    }
    return x;
  }

  private int[] positions(CaptionRows c) {
    int[] r = new int[c.ids().length];
    for (int i = 0; i < r.length; i++) {
      r[i] = shape.counted() ? c.counted()[i] + 1 + shape.pad() : c.sequences().positions()[i];
      if (r[i] >= shape.positions())
        throw new IllegalArgumentException("a caption has " + (r[i] + 1) + " tokens, more than the " + shape.positions()
            + " positions of the text tower");
    }
    return r;
  }

  @Override public Tensor pooled(Tensor first) { return pooler == null ? first : pooler.dense.apply(first).tanh(); }

  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(List.of("embeddings.**"));
    for (int i = 0; i < shape.layers(); i++) r.add(List.of("encoder.layer." + i + ".**"));
    r.add(pooler == null ? List.of() : List.of("pooler.**"));
    return r;
  }

  @Override public boolean pools() { return pooler != null; }

  @Override public List<String> undecayed() {
    return List.of("embeddings.position_embeddings.weight", "embeddings.token_type_embeddings.weight");
  }
}
