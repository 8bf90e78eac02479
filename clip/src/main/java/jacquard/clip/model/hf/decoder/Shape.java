package jacquard.clip.model.hf.decoder;

import jacquard.clip.model.hf.OwnConfig;
import jacquard.tensor.op.Activation;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What tells Llama, Mistral, Qwen 2 and 3, Phi-3 and Gemma 1 to 3 apart.
///
/// @param heads,shared heads of queries, and of keys and values, which as many queries share
/// @param perHead channels of a head
/// @param scale of the scores
/// @param softCap scores become cap·tanh(score/cap); 0 for none
/// @param fused queries, keys and values are one projection, and so are the MLP's two
/// @param biased queries, keys and values have a bias
/// @param normed queries and keys have a norm, head by head
/// @param plusOne norms multiply by 1 + weight, and embeddings are scaled by √width
/// @param normsAfter norms before what attention and the MLP give is added, too
/// @param windows of each layer how many tokens a token sees, itself included; 0 for all before it
/// @param rotations of each layer
record Shape(int vocabulary, int width, int hidden, int heads, int shared, int perHead, float epsilon, int pad,
    double scale, double softCap, boolean fused,
    boolean biased, boolean normed, boolean plusOne, boolean normsAfter, Activation activation, List<Integer> windows,
    List<Rotary> rotations) {
  private static final Set<String> TYPES =
      Set.of("llama", "mistral", "qwen2", "qwen3", "phi3", "gemma", "gemma2", "gemma3_text");

  static boolean known(OwnConfig c) { return TYPES.contains(c.type()); }

  static Optional<String> refused(OwnConfig c) {
    if (c.flag("attention_bias", false) || c.flag("mlp_bias", false))
      return Optional.of("attention_bias and mlp_bias of " + c.name());
    if (activation(c).isEmpty()) return Optional.of("hidden_act " + c.text("hidden_act", "") + " of " + c.name());
    return Rotary.refused(c);
  }

  private static Optional<Activation> activation(OwnConfig c) {
    return switch (c.text("hidden_activation",
        c.text("hidden_act", c.type().startsWith("gemma") ? "gelu_pytorch_tanh" : "silu"))) {
      case "silu" -> Optional.of(Activation.SILU);
      case "gelu_pytorch_tanh" -> Optional.of(Activation.GELU_TANH);
      case "gelu" -> Optional.of(c.type().startsWith("gemma") ? Activation.GELU_TANH : Activation.GELU);
      default -> Optional.empty();
    };
  }

  static Shape of(OwnConfig c) {
    var type = c.type();
    boolean gemma = type.startsWith("gemma"), later = gemma && !type.equals("gemma");
    int width = c.whole("hidden_size"), heads = c.whole("num_attention_heads"), layers = c.whole("num_hidden_layers");
    if (heads < 1)
      throw new IllegalArgumentException("text_cfg.hf_model_config.num_attention_heads is " + heads
          + ", expected 1 or more");
    int perHead = c.whole("head_dim", width / heads), shared = c.whole("num_key_value_heads", heads);
    if (shared < 1 || heads % shared != 0)
      throw new IllegalArgumentException("text_cfg.hf_model_config: " + shared + " heads of keys do not divide " + heads
          + " of queries");
    var windows = new java.util.ArrayList<Integer>();
    var rotations = new java.util.ArrayList<Rotary>();
    for (int i = 0; i < layers; i++) {
      boolean near = near(c, i);
      windows.add(near ? c.whole("sliding_window") : 0);
      rotations.add(Rotary.of(c, near ? "sliding_attention" : "full_attention", perHead));
    }
    return new Shape(c.whole("vocab_size"), width, c.whole("intermediate_size"), heads, shared, perHead,
        (float) c.number("rms_norm_eps", 1e-6),
        c.whole("pad_token_id", -1), 1 / Math.sqrt(later ? c.number("query_pre_attn_scalar", 256) : perHead),
        type.equals("gemma2") ? c.number("attn_logit_softcapping", 0) : 0, type.equals("phi3"), type.equals("qwen2"),
        type.equals("qwen3") || type.equals("gemma3_text"), gemma, later, activation(c).orElseThrow(),
        List.copyOf(windows), List.copyOf(rotations));
  }

  /// Whether a layer sees a window alone.
  private static boolean near(OwnConfig c, int layer) {
    if (c.values().get("sliding_window") == null) return false;
    if (c.values().get("layer_types") instanceof List<?> types && layer < types.size())
      return "sliding_attention".equals(types.get(layer));
    return switch (c.type()) {
      case "mistral", "phi3" -> true;
      case "qwen2", "qwen3" -> c.flag("use_sliding_window", false) && layer >= c.whole("max_window_layers", 0);
      case "gemma2" -> layer % 2 == 0;
      case "gemma3_text" -> (layer + 1) % c.whole("sliding_window_pattern", 6) != 0;
      default -> false;
    };
  }
}
