package jacquard.clip.model.hf.encoder;

import jacquard.clip.model.hf.OwnConfig;
import jacquard.tensor.op.Activation;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The sizes of a BERT or RoBERTa.
///
/// @param positions rows of the table of positions
/// @param kinds kinds of segments, of which a caption is the first
/// @param pad the id that is no token: it is neither attended to nor pooled
/// @param counted whether positions count the tokens that are no pads, from `pad` + 1 (RoBERTa), and not the places
///   (BERT)
/// @param hiddenDrop,attentionDrop shares left out in training: of rows that are added, and of who is attended to
public record BertShape(int vocabulary, int width, int hidden, int layers, int heads, int positions, int kinds,
    float epsilon, int pad, boolean counted, Activation activation, double hiddenDrop, double attentionDrop) {
  private static final Set<String> TYPES = Set.of("bert", "roberta", "xlm-roberta");
  private static final Map<String, Activation> ACTIVATIONS =
      Map.of("gelu", Activation.GELU, "gelu_new", Activation.GELU_TANH,
      "gelu_pytorch_tanh", Activation.GELU_TANH, "relu", Activation.RELU, "quick_gelu", Activation.QUICK_GELU);

  public static boolean known(OwnConfig config) { return TYPES.contains(config.type()); }

  /// What the config asks for that is not built; empty if nothing.
  public static Optional<String> refused(OwnConfig c) {
    var act = c.text("hidden_act", "gelu");
    if (!ACTIVATIONS.containsKey(act)) return Optional.of("hidden_act " + act + " of " + c.name());
    var positions = c.text("position_embedding_type", "absolute");
    return positions.equals("absolute") ? Optional.empty()
        : Optional.of("position_embedding_type " + positions + " of " + c.name());
  }

  public static BertShape of(OwnConfig c) {
    var r = new BertShape(c.whole("vocab_size"), c.whole("hidden_size"), c.whole("intermediate_size"),
        c.whole("num_hidden_layers"),
        c.whole("num_attention_heads"), c.whole("max_position_embeddings"), c.whole("type_vocab_size"),
        (float) c.number("layer_norm_eps"),
        c.whole("pad_token_id"), !c.type().equals("bert"), ACTIVATIONS.get(c.text("hidden_act", "gelu")),
        c.drop("hidden_dropout_prob", 0.1, "").share(), c.drop("attention_probs_dropout_prob", 0.1, "").share());
    if (r.heads < 1 || r.width % r.heads != 0)
      throw new IllegalArgumentException("text_cfg.hf_model_config: " + r.heads + " heads do not divide a width of "
          + r.width);
    return r;
  }
}
