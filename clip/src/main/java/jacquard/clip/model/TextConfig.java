package jacquard.clip.model;

import com.fasterxml.jackson.databind.JsonNode;

/// The text tower, with OpenCLIP's names and defaults (`text_cfg`).
public record TextConfig(int context, int vocabulary, int width, int heads, int layers, double mlpRatio, double layerScale, boolean classToken, int pad, int end,
                         boolean causal, String pool, boolean projected, boolean projectionBias, boolean tanhGelu, float epsilon, String tokenizer,
                         VisionConfig.Options options, String unsupported) {

  static TextConfig of(JsonNode node) {
    var j = new Json(node, "text_cfg");
    if (j.has("hf_model_name")) return unsupported("text tower " + j.raw("hf_model_name").asText() + " of transformers");
    if (j.text("text_arch", "clip").equals("modern")) return unsupported("modern text tower");
    if (j.flag("variable_text")) return unsupported("variable_text");
    j.integer("bos_id", 0);
    j.flag("output_tokens");
    j.raw("tokenizer_kwargs");
    j.text("tokenizer_type", "");
    var tokenizer = j.has("hf_tokenizer_name") ? j.text("hf_tokenizer_name", "") : j.has("tiktoken_name") ? j.text("tiktoken_name", "") : "clip";
    var c = new TextConfig(j.integer("context_length", 77), j.integer("vocab_size", 49408), j.integer("width", 512), j.integer("heads", 8), j.integer("layers", 12),
        j.number("mlp_ratio", 4), j.number("ls_init_value", 0), j.flag("embed_cls"), j.integer("pad_id", 0), j.integer("eos_id", 2), !j.flag("no_causal_mask"),
        j.text("pool_type", "argmax", "argmax", "first", "last", "eos", "none"), j.text("proj_type", "linear", "linear", "none").equals("linear"),
        j.flag("proj_bias"), VisionConfig.tanh(j), VisionConfig.epsilon(j), tokenizer, VisionConfig.Options.of(j), null);
    j.done();
    return c;
  }

  private static TextConfig unsupported(String why) {
    return new TextConfig(0, 0, 0, 1, 0, 0, 0, false, 0, 0, true, "argmax", true, false, false, 0, "", null, why);
  }
}
