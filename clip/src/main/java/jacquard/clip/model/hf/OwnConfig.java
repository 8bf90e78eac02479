package jacquard.clip.model.hf;

import jacquard.clip.nn.Drop;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/// A model's own `config.json` on the hub: what `hf_model_config` gives, over what is known of the name. Other keys
/// than those asked for say how the model was trained or is used, and are passed over.
public record OwnConfig(String name, Map<String, Object> values) {
  /// Published sizes of the models that OpenCLIP's registry names, and of BERT.
  private static final Map<String, Map<String, Object>> KNOWN = new LinkedHashMap<>(Map.of(
      "roberta-base", roberta("roberta", 50265, 768, 12, 12), "roberta-large", roberta("roberta", 50265, 1024, 24, 16),
      "xlm-roberta-base", roberta("xlm-roberta", 250002, 768, 12, 12), "xlm-roberta-large",
      roberta("xlm-roberta", 250002, 1024, 24, 16),
      "google/mt5-base", mt5(768, 2048, 12, 12), "google/mt5-xl", mt5(2048, 5120, 24, 32),
      "bert-base-uncased", bert(30522, 768, 12, 12), "bert-base-cased", bert(28996, 768, 12, 12),
      "bert-large-uncased", bert(30522, 1024, 24, 16), "bert-base-multilingual-cased", bert(119547, 768, 12, 12)));

  static {
    KNOWN.put("facebook/nllb-200-distilled-600M", nllb(4096, 12));
    KNOWN.put("facebook/nllb-200-distilled-1.3B", nllb(8192, 24));
    KNOWN.put("Alibaba-NLP/gte-modernbert-base",
        Map.of("model_type", "modernbert", "vocab_size", 50368, "hidden_size", 768, "intermediate_size",
        1152, "num_hidden_layers", 22, "num_attention_heads", 12, "pad_token_id", 50283, "local_attention", 128));
  }

  private static Map<String, Object> mt5(int width, int hidden, int layers, int heads) {
    return Map.of("model_type", "mt5", "vocab_size", 250112, "d_model", width, "d_ff", hidden, "num_layers", layers,
        "num_heads", heads, "d_kv", 64,
        "pad_token_id", 0, "feed_forward_proj", "gated-gelu");
  }

  private static Map<String, Object> nllb(int hidden, int layers) {
    return Map.of("model_type", "m2m_100", "vocab_size", 256206, "d_model", 1024, "encoder_layers", layers,
        "encoder_attention_heads", 16,
        "encoder_ffn_dim", hidden, "pad_token_id", 1, "scale_embedding", true);
  }

  private static Map<String, Object> bert(int vocabulary, int width, int layers, int heads) {
    return Map.of("model_type", "bert", "vocab_size", vocabulary, "hidden_size", width, "intermediate_size", 4 * width,
        "num_hidden_layers",
        layers, "num_attention_heads", heads, "max_position_embeddings", 512, "type_vocab_size", 2, "layer_norm_eps",
        1e-12, "pad_token_id", 0);
  }

  private static Map<String, Object> roberta(String type, int vocabulary, int width, int layers, int heads) {
    var r = new LinkedHashMap<>(bert(vocabulary, width, layers, heads));
    r.putAll(Map.of("model_type", type, "max_position_embeddings", 514, "type_vocab_size", 1, "layer_norm_eps", 1e-5,
        "pad_token_id", 1));
    return r;
  }

  public static OwnConfig of(HuggingFaceConfig config) {
    var r = new LinkedHashMap<>(KNOWN.getOrDefault(config.name(), Map.of()));
    r.putAll(config.model().modelConfig());
    return new OwnConfig(config.name(), r);
  }

  /// `model_type`, or "".
  public String type() { return text("model_type", ""); }

  public int whole(String key) { return read(key, v -> v instanceof Integer n && n >= 0 ? n : null, "a whole number"); }

  public int whole(String key, int standard) { return values.get(key) == null ? standard : whole(key); }

  public boolean flag(String key, boolean standard) {
    return values.get(key) == null ? standard : read(key, v -> v instanceof Boolean b ? b : null, "true or false");
  }

  public double number(String key, double standard) { return values.get(key) == null ? standard : number(key); }

  public double number(String key) {
    return read(key, v -> v instanceof Number n ? n.doubleValue() : null, "a number");
  }

  public String text(String key, String standard) {
    return values.get(key) == null ? standard : read(key, v -> v instanceof String s ? s : null, "a text");
  }

  private <T> T read(String key, Function<Object, T> of, String expected) {
    T found = of.apply(values.get(key));
    if (found == null)
      throw new IllegalArgumentException("text_cfg.hf_model_config." + key + " of " + name + " is " + values.get(key)
          + ", expected " + expected);
    return found;
  }

  /// What is left out by chance in training.
  ///
  /// @param standard transformers' own
  public Drop drop(String key, double standard, String site) {
    double share = number(key, standard);
    if (share >= 0 && share < 1) return new Drop(share, "text." + site);
    throw new IllegalArgumentException("text_cfg.hf_model_config." + key + " is " + share + ", expected 0 ≤ p < 1");
  }
}
