package jacquard.clip.model.hf;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.hf.decoder.LanguageModel;
import jacquard.clip.model.hf.encoder.Bert;
import jacquard.clip.model.hf.encoder.BertShape;
import jacquard.clip.model.hf.encoder.M2M100;
import jacquard.clip.model.hf.encoder.ModernBert;
import jacquard.clip.model.hf.encoder.T5;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.TextInput;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Pooling;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A text tower of the transformers library: a model, what its captions are pooled by, and a projection to the
/// embedding.
public record HuggingFaceTower(Encoder transformer, @Named("proj") Projection projection, HuggingFaceConfig config)
    implements TextTower {
  private static final Set<String> POOLERS =
      Set.of("mean_pooler", "max_pooler", "cls_pooler", "cls_last_hidden_state_pooler", "last_pooler");

  private static boolean bert(OwnConfig own) { return BertShape.known(own); }

  public static boolean known(HuggingFaceConfig config) {
    var own = OwnConfig.of(config);
    return bert(own) || LanguageModel.known(own) || Set.of("t5", "mt5", "m2m_100", "modernbert").contains(own.type());
  }

  /// What the config asks for that is not built; empty if nothing.
  public static Optional<String> refused(HuggingFaceConfig config) {
    var own = OwnConfig.of(config);
    if (!Projection.known(config.model().projType())) return Optional.of("hf_proj_type " + config.model().projType());
    if (!POOLERS.contains(config.model().poolerType()))
      return Optional.of("hf_pooler_type " + config.model().poolerType());
    return switch (own.type()) {
      case "t5", "mt5" -> T5.refused(own);
      case "m2m_100" -> M2M100.refused(own);
      case "modernbert" -> ModernBert.refused(own);
      default -> LanguageModel.known(own) ? LanguageModel.refused(own) : BertShape.refused(own);
    };
  }

  public static HuggingFaceTower of(HuggingFaceConfig config, ClipConfig clip, Init.Maker make) {
    var own = OwnConfig.of(config);
    var encoder = switch (own.type()) {
      case "t5", "mt5" -> T5.of(own, make);
      case "m2m_100" -> M2M100.of(own, make);
      case "modernbert" -> ModernBert.of(own, make);
      default -> LanguageModel.known(own) ? LanguageModel.of(own, make)
          : Bert.of(own, make, config.model().poolerType().equals("cls_pooler"));
    };
    return new HuggingFaceTower(encoder,
        Projection.of(config.model().projType(), make, encoder.width(), clip.embedding()), config);
  }

  @Override public TextInput input() { return config.input(); }

  @Override public Tensor features(int[][] captions) {
    var rows = CaptionRows.of(captions, transformer.pad(), first(), false);
    int[] first = first() ? Pooling.first(rows.sequences()) : null;
    return finished(transformer.apply(rows, first), rows.sequences(), first != null);
  }

  /// The tokens are the model's last rows; without the first of a caption where `cls_pooler` has it. Those for a
  /// decoder are padded.
  @Override public Encoding tokens(int[][] captions) {
    var rows = CaptionRows.of(captions, transformer.pad(), first(), config.outputTokens());
    var x = transformer.apply(rows, null);
    int prefix = config.model().poolerType().equals("cls_pooler") ? 1 : 0;
    return Encoding.without(prefix, finished(config.outputTokens() ? x.gather(rows.words()) : x, rows.worded(), false),
        x, rows.sequences());
  }

  private boolean first() { return config.model().poolerType().startsWith("cls_"); }

  /// @param pooled whether x holds but the pooled rows
  private Tensor finished(Tensor x, Sequences s, boolean pooled) {
    var one = switch (config.model().poolerType()) {
      case "mean_pooler" -> Pooling.mean(x, s, 0);
      case "last_pooler" -> x.gather(java.util.stream.IntStream.range(0, s.count()).map(i -> s.to(i) - 1).toArray());
      case "max_pooler" -> Pooling.max(x, s, 0);
      default -> pooled ? x : x.gather(Pooling.first(s));
    };
    return projection.apply(transformer.pooled(one));
  }

  /// Embeddings; a group a layer; what follows the layers, pools and projects. Where nothing pools or projects there is
  /// no head: what follows the layers goes with the last one.
  @Override public List<List<String>> groups() {
    var r = new ArrayList<>(within(transformer.groups()));
    var head = new ArrayList<>(r.removeLast());
    if (projection.none() && !transformer.pools()) head.addAll(0, r.removeLast());
    if (!projection.none()) head.add("proj.**");
    r.add(head);
    return r;
  }

  /// Without a projection the pooler is the head all the same.
  @Override public List<List<String>> poolerApart() {
    if (!transformer.pools() || projection.none()) return groups();
    var r = new ArrayList<>(within(transformer.groups()));
    r.add(List.of("proj.**"));
    return r;
  }

  private static List<List<String>> within(List<List<String>> groups) {
    return groups.stream().map(HuggingFaceTower::prefixed).toList();
  }

  private static List<String> prefixed(List<String> globs) {
    return globs.stream().map(g -> "transformer." + g).toList();
  }

  @Override public List<String> undecayed() { return prefixed(transformer.undecayed()); }

  @Override public List<String> obsolete() { return List.of("transformer.embeddings.position_ids"); }
}
