package jacquard.clip.checkpoint.names;

import jacquard.clip.checkpoint.Composed;
import jacquard.clip.checkpoint.Piece;
import jacquard.clip.checkpoint.Weights;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// big_vision's names of SigLIP's tensors, whose kernels are `[in, out]` or `[in, heads, channels]`; the blocks of a
/// tower one by one, or all of them stacked.
final class BigVision {
  private final Map<String, Piece> from = new LinkedHashMap<>(), to = new LinkedHashMap<>();

  private BigVision() {}

  static Weights read(Weights w) throws IOException {
    var r = new BigVision();
    for (var n : w.names()) r.from.put(n, Piece.of(w, n));
    r.towers();
    r.to.putAll(r.from);
    return new Composed(w.file(), r.to, w);
  }

  private Piece take(String name) {
    var p = from.remove("params/" + name);
    if (p == null)
      throw new IllegalArgumentException("params/" + name + " is missing, expected a SigLIP of big_vision");
    return p;
  }

  private static Piece flat(Piece p) { return p.reshape(Math.toIntExact(p.shape().size())); }

  private void towers() {
    String ours = "visual.trunk.", theirs = "img/";
    to.put(ours + "patch_embed.proj.weight", take(theirs + "embedding/kernel").turned(3, 2, 0, 1));
    to.put(ours + "patch_embed.proj.bias", take(theirs + "embedding/bias"));
    to.put(ours + "pos_embed", take(theirs + "pos_embedding"));
    blocks(ours + "blocks.", theirs + "Transformer/", "norm1", "norm2", "attn.qkv.", "attn.proj.", "mlp.fc1.",
        "mlp.fc2.");
    norm(ours + "norm", theirs + "Transformer/encoder_norm");
    String pool = theirs + "MAPHead_0/", attention = pool + "MultiHeadDotProductAttention_0/";
    to.put(ours + "attn_pool.latent", take(pool + "probe"));
    to.put(ours + "attn_pool.q.weight", matrix(take(attention + "query/kernel")));
    to.put(ours + "attn_pool.q.bias", flat(take(attention + "query/bias")));
    to.put(ours + "attn_pool.kv.weight",
        Piece.joined(List.of(matrix(take(attention + "key/kernel")), matrix(take(attention + "value/kernel")))));
    to.put(ours + "attn_pool.kv.bias",
        Piece.joined(List.of(flat(take(attention + "key/bias")), flat(take(attention + "value/bias")))));
    to.put(ours + "attn_pool.proj.weight", output(take(attention + "out/kernel")));
    to.put(ours + "attn_pool.proj.bias", take(attention + "out/bias"));
    norm(ours + "attn_pool.norm", pool + "LayerNorm_0");
    linear(ours + "attn_pool.mlp.fc1.", pool + "MlpBlock_0/Dense_0/");
    linear(ours + "attn_pool.mlp.fc2.", pool + "MlpBlock_0/Dense_1/");
    to.put("text.token_embedding.weight", take("txt/Embed_0/embedding"));
    var positions = take("txt/pos_embedding");
    to.put("text.positional_embedding", positions.shape().rank() == 3 ? positions.at(0) : positions);
    blocks("text.transformer.resblocks.", "txt/Encoder_0/", "ln_1", "ln_2", "attn.in_proj_", "attn.out_proj.",
        "mlp.c_fc.", "mlp.c_proj.");
    norm("text.ln_final", "txt/Encoder_0/encoder_norm");
    linear("text.text_projection.", "txt/head/");
    to.put("logit_bias", take("b"));
    to.put("logit_scale", take("t"));
  }

  /// `[in, heads, channels]`, or `[in, out]`, as `[out, in]`.
  private static Piece matrix(Piece p) {
    int in = p.shape().dim(0);
    return p.reshape(in, Math.toIntExact(p.shape().size() / Math.max(1, in))).turned(1, 0);
  }

  /// `[heads, channels, out]` as `[out, in]`.
  private static Piece output(Piece p) {
    int out = p.shape().dim(p.shape().rank() - 1);
    return p.reshape(Math.toIntExact(p.shape().size() / Math.max(1, out)), out).turned(1, 0);
  }

  private void norm(String ours, String theirs) {
    to.put(ours + ".weight", take(theirs + "/scale"));
    to.put(ours + ".bias", take(theirs + "/bias"));
  }

  private void linear(String ours, String theirs) {
    to.put(ours + "weight", matrix(take(theirs + "kernel")));
    to.put(ours + "bias", take(theirs + "bias"));
  }

  /// All blocks of a tower; the names here in order: norms, packed projection, output, MLP.
  private void blocks(String ours, String theirs, String... n) {
    unstack(theirs + "encoderblock/");
    for (int i = 0; from.containsKey("params/" + theirs + "encoderblock_" + i + "/LayerNorm_0/scale"); i++) {
      String t = theirs + "encoderblock_" + i + "/", o = ours + i + ".", a = t + "MultiHeadDotProductAttention_0/";
      norm(o + n[0], t + "LayerNorm_0");
      norm(o + n[1], t + "LayerNorm_1");
      var parts = List.of("query", "key", "value");
      to.put(o + n[2] + "weight", Piece.joined(parts.stream().map(p -> matrix(take(a + p + "/kernel"))).toList()));
      to.put(o + n[2] + "bias", Piece.joined(parts.stream().map(p -> flat(take(a + p + "/bias"))).toList()));
      to.put(o + n[3] + "weight", output(take(a + "out/kernel")));
      to.put(o + n[3] + "bias", take(a + "out/bias"));
      linear(o + n[4], t + "MlpBlock_0/Dense_0/");
      linear(o + n[5], t + "MlpBlock_0/Dense_1/");
    }
  }

  /// What is stacked becomes one tensor a block.
  private void unstack(String stacked) {
    for (var name : List.copyOf(from.keySet())) {
      if (!name.startsWith("params/" + stacked)) continue;
      var all = from.remove(name);
      var one = "params/" + stacked.substring(0, stacked.length() - 1) + "_%d/"
          + name.substring(("params/" + stacked).length()).replace("%", "%%");
      for (int i = 0; i < all.shape().dim(0); i++) from.put(one.formatted(i), all.at(i));
    }
  }
}
