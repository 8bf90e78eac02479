package jacquard.clip.model.hf;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.TextInput;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.Pooling;
import jacquard.clip.nn.Transformer;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// BERT, RoBERTa and XLM-RoBERTa as text towers. Pads are masked out there, so they are no rows here. Dropout is left out.
public record BertTower(Model transformer, @Named("proj") Projection projection, HuggingFaceConfig config, BertShape shape) implements TextTower {
  /// The model without its projection; without a pooler (null) where the tokens are pooled otherwise.
  record Model(Embeddings embeddings, Encoder encoder, Pooler pooler) {}

  record Embeddings(@Named("word_embeddings") Table words, @Named("position_embeddings") Table positions,
      @Named("token_type_embeddings") Table kinds, @Named("LayerNorm") LayerNorm norm) {}

  /// `[rows, width]`
  record Table(Tensor weight) {}

  record Encoder(List<BertLayer> layer) {}

  /// tanh(dense(x)) of the first token.
  record Pooler(Linear dense) {}

  public static boolean known(HuggingFaceConfig config) { return BertShape.known(OwnConfig.of(config)); }

  public static Optional<String> refused(HuggingFaceConfig config) {
    if (config.variableText()) return Optional.of("captions of variable length (variable_text)");
    if (config.outputTokens()) return Optional.of("output_tokens: only a CoCa decoder takes them");
    if (!Projection.known(config.model().projType())) return Optional.of("hf_proj_type " + config.model().projType());
    return switch (config.model().poolerType()) {
      case "mean_pooler", "max_pooler", "cls_pooler", "cls_last_hidden_state_pooler" -> BertShape.refused(OwnConfig.of(config));
      default -> Optional.of("hf_pooler_type " + config.model().poolerType());
    };
  }

  public static BertTower of(HuggingFaceConfig config, ClipConfig clip, Init.Maker make) {
    var s = BertShape.of(OwnConfig.of(config));
    int w = s.width();
    var embeddings = new Embeddings(table(make, s.vocabulary(), w), table(make, s.positions(), w), table(make, s.kinds(), w),
        LayerNorm.of(make, w, s.epsilon()));
    var layers = new ArrayList<BertLayer>();
    for (int i = 0; i < s.layers(); i++) layers.add(BertLayer.of(make, s));
    var pooler = config.model().poolerType().equals("cls_pooler") ? new Pooler(BertLayer.linear(make, w, w)) : null;
    return new BertTower(new Model(embeddings, new Encoder(List.copyOf(layers)), pooler),
        Projection.of(config.model().projType(), make, w, clip.embedding()), config, s);
  }

  private static Table table(Init.Maker make, int rows, int width) { return new Table(make.make(new Init.Normal(0.02), rows, width)); }

  @Override public TextInput input() { return config.input(); }

  @Override public Tensor features(int[][] captions) {
    var rows = rows(captions);
    int[] first = first() ? Pooling.first(rows.sequences) : null;
    return finished(encoded(rows, first), rows.sequences, first != null);
  }

  /// The tokens are the model's last hidden rows; without the first where the pooler takes its own layer's view of it (`cls_pooler`).
  @Override public Encoding tokens(int[][] captions) {
    var rows = rows(captions);
    var x = encoded(rows, null);
    return Encoding.without(transformer.pooler == null ? 0 : 1, finished(x, rows.sequences, false), x, rows.sequences);
  }

  private boolean first() { return config.model().poolerType().startsWith("cls_"); }

  /// The rows of a batch of captions: what is no pad, with its place in the caption and its row of the table of positions.
  private record Rows(Sequences sequences, int[] ids, int[] positions) {}

  private Rows rows(int[][] captions) {
    int pad = shape.pad();
    int[][] kept = new int[captions.length][];
    for (int b = 0; b < captions.length; b++) {
      int[] ids = captions[b];
      kept[b] = IntStream.range(0, ids.length).filter(i -> ids[i] != pad).toArray();
      if (kept[b].length == 0 || first() && kept[b][0] != 0)
        throw new IllegalArgumentException("caption " + b + " begins with padding (id " + pad + "), expected a token");
      int last = shape.counted() ? kept[b].length + pad : kept[b][kept[b].length - 1];
      if (last >= shape.positions())
        throw new IllegalArgumentException("caption " + b + " has " + kept[b].length + " tokens, more than " + config.name() + " has positions for");
    }
    int[] offsets = Sequences.ofLengths(Arrays.stream(kept).mapToInt(k -> k.length).toArray()).offsets();
    int[] place = new int[offsets[kept.length]], id = new int[place.length], position = new int[place.length];
    for (int b = 0; b < kept.length; b++)
      for (int i = 0, r = offsets[b]; r < offsets[b + 1]; i++, r++) {
        place[r] = kept[b][i];
        id[r] = captions[b][place[r]];
        position[r] = shape.counted() ? i + 1 + pad : place[r];
      }
    return new Rows(new Sequences(offsets, place), id, position);
  }

  /// Embeddings and layers; of the last layer all rows, or those asked for. `[rows, width]`
  private Tensor encoded(Rows rows, int[] wanted) {
    var e = transformer.embeddings;
    var x = e.norm.apply(e.words.weight.gather(rows.ids).add(e.kinds.weight.slice(0, 0, 1)).add(e.positions.weight.gather(rows.positions)));
    var layers = transformer.encoder.layer;
    for (int i = 0; i < layers.size(); i++) {
      var layer = layers.get(i);
      int[] only = i == layers.size() - 1 ? wanted : null;
      x = Transformer.once(x, t -> layer.apply(t, rows.sequences, only));
    }
    return x;
  }

  /// @param pooled whether x holds but the pooled rows
  private Tensor finished(Tensor x, Sequences s, boolean pooled) {
    var one = switch (config.model().poolerType()) {
      case "mean_pooler" -> Pooling.mean(x, s, 0);
      case "max_pooler" -> Pooling.max(x, s, 0);
      default -> pooled ? x : x.gather(Pooling.first(s));
    };
    return projection.apply(transformer.pooler == null ? one : transformer.pooler.dense.apply(one).tanh());
  }

  /// Embeddings; a group a layer; what pools and projects.
  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(List.of("transformer.embeddings.**"));
    for (int i = 0; i < shape.layers(); i++) r.add(List.of("transformer.encoder.layer." + i + ".**"));
    r.add(transformer.pooler == null ? List.of("proj.**") : List.of("transformer.pooler.**", "proj.**"));
    return r;
  }

  @Override public List<String> undecayed() {
    return List.of("transformer.embeddings.position_embeddings.weight", "transformer.embeddings.token_type_embeddings.weight");
  }

  @Override public List<String> obsolete() { return List.of("transformer.embeddings.position_ids"); }
}
