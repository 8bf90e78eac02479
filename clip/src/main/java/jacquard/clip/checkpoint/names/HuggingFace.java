package jacquard.clip.checkpoint.names;

import jacquard.clip.checkpoint.Composed;
import jacquard.clip.checkpoint.Piece;
import jacquard.clip.checkpoint.Weights;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The names that transformers has for CLIP and SigLIP. What it keeps apart, OpenCLIP keeps as one, and the other way
/// round: a row says which tensors of the one, joined, are which of the other.
public final class HuggingFace {
  /// How a tensor lies there, seen from here.
  private enum Lies {
    SAME,
    /// `[in, out]` here, `[out, in]` there.
    TURNED,
    /// `[1, rows, width]` here, `[rows, width]` there.
    FLAT,
    /// `[1, side, side, width]` here, `[side², width]` there.
    SQUARE
  }

  /// @param ours one, or two of which the second is twice as long
  /// @param theirs one, or three of one length
  private record Row(List<String> ours, List<String> theirs, Lies lies) {}

  private final List<Row> rows = new ArrayList<>();

  private HuggingFace() {}

  private void row(String ours, String theirs, Lies lies) { rows.add(new Row(List.of(ours), List.of(theirs), lies)); }

  /// Weight and bias.
  private void both(String ours, String theirs) {
    for (var w : List.of(".weight", ".bias")) row(ours + w, theirs + w, Lies.SAME);
  }

  /// A block of either tower; the names here in order: norms, packed projection, output, MLP.
  private void block(String ours, String theirs, String... n) {
    both(ours + n[0], theirs + "layer_norm1");
    both(ours + n[1], theirs + "layer_norm2");
    var packed = List.of("weight", "bias");
    for (var w : packed)
      rows.add(new Row(List.of(ours + n[2] + w), List.of("q_proj.", "k_proj.", "v_proj.").stream()
          .map(p -> theirs + "self_attn." + p + w).toList(), Lies.SAME));
    both(ours + n[3], theirs + "self_attn.out_proj");
    both(ours + n[4], theirs + "mlp.fc1");
    both(ours + n[5], theirs + "mlp.fc2");
  }

  private void plain(String ours, String theirs, int layers) {
    for (int i = 0; i < layers; i++)
      block(ours + i + ".", theirs + "encoder.layers." + i + ".", "ln_1", "ln_2", "attn.in_proj_", "attn.out_proj",
          "mlp.c_fc", "mlp.c_proj");
  }

  private void text(String ours, int layers) {
    row(ours + "token_embedding.weight", "text_model.embeddings.token_embedding.weight", Lies.SAME);
    row(ours + "positional_embedding", "text_model.embeddings.position_embedding.weight", Lies.SAME);
    plain(ours + "transformer.resblocks.", "text_model.", layers);
    both(ours + "ln_final", "text_model.final_layer_norm");
  }

  /// @param text what is before the text tower's names here
  private static List<Row> clip(String text, int imageLayers, int textLayers) {
    var r = new HuggingFace();
    r.row("logit_scale", "logit_scale", Lies.SAME);
    r.text(text, textLayers);
    r.row(text + "text_projection", "text_projection.weight", Lies.TURNED);
    r.row("visual.class_embedding", "vision_model.embeddings.class_embedding", Lies.SAME);
    r.row("visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight", Lies.SAME);
    r.row("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight", Lies.SAME);
    r.both("visual.ln_pre", "vision_model.pre_layrnorm");
    r.both("visual.ln_post", "vision_model.post_layernorm");
    r.row("visual.proj", "visual_projection.weight", Lies.TURNED);
    r.plain("visual.transformer.resblocks.", "vision_model.", imageLayers);
    return r.rows;
  }

  /// @param flexible whether it is SigLIP 2's tower for pictures of any size (NaFlex)
  private static List<Row> siglip(int imageLayers, int textLayers, boolean flexible) {
    var r = new HuggingFace();
    r.row("logit_scale", "logit_scale", Lies.SAME);
    r.row("logit_bias", "logit_bias", Lies.SAME);
    r.text("text.", textLayers);
    r.row("text.text_projection.weight", "text_model.head.weight", Lies.SAME);
    r.row("text.text_projection.bias", "text_model.head.bias", Lies.SAME);
    String ours = "visual.trunk.", theirs = "vision_model.";
    r.row(ours + (flexible ? "embeds.pos_embed" : "pos_embed"), theirs + "embeddings.position_embedding.weight",
        flexible ? Lies.SQUARE : Lies.FLAT);
    r.both(ours + (flexible ? "embeds.proj" : "patch_embed.proj"), theirs + "embeddings.patch_embedding");
    for (int i = 0; i < imageLayers; i++)
      r.block(ours + "blocks." + i + ".", theirs + "encoder.layers." + i + ".", "norm1", "norm2", "attn.qkv.",
          "attn.proj", "mlp.fc1", "mlp.fc2");
    r.both(ours + "norm", theirs + "post_layernorm");
    ours += "attn_pool.";
    theirs += "head.";
    r.row(ours + "latent", theirs + "probe", Lies.SAME);
    for (var w : List.of("weight", "bias"))
      r.rows.add(new Row(List.of(ours + "q." + w, ours + "kv." + w), List.of(theirs + "attention.in_proj_" + w),
          Lies.SAME));
    r.both(ours + "proj", theirs + "attention.out_proj");
    r.both(ours + "norm", theirs + "layernorm");
    r.both(ours + "mlp.fc1", theirs + "mlp.fc1");
    r.both(ours + "mlp.fc2", theirs + "mlp.fc2");
    return r.rows;
  }

  static Weights read(Weights w) throws IOException {
    boolean siglip = w.contains("vision_model.head.probe");
    int image = layers(w.names(), "vision_model.encoder.layers."), text =
        layers(w.names(), "text_model.encoder.layers.");
    var left = new LinkedHashMap<String, Piece>();
    for (var n : w.names()) if (!n.endsWith(".position_ids")) left.put(n, Piece.of(w, n));
    var patch = left.get("vision_model.embeddings.patch_embedding.weight");
    boolean flexible = patch != null && patch.shape().rank() == 2;
    var r = moved(siglip ? siglip(image, text, flexible) : clip("", image, text), left, true);
    // what has no row keeps its name: the model will say that it has no such tensor
    r.putAll(left);
    return new Composed(w.file(), r, w);
  }

  /// OpenCLIP's tensors under the names of transformers.
  ///
  /// @throws IllegalArgumentException naming the first tensor that has none there
  public static Map<String, Piece> write(Map<String, Piece> ours) {
    boolean siglip = ours.containsKey("visual.trunk.attn_pool.latent");
    var text = ours.containsKey("text.positional_embedding") ? "text." : "";
    int image = layers(ours.keySet(), siglip ? "visual.trunk.blocks." : "visual.transformer.resblocks."), texts =
        layers(ours.keySet(), text + "transformer.resblocks.");
    var left = new LinkedHashMap<>(ours);
    var r = moved(siglip ? siglip(image, texts, false) : clip(text, image, texts), left, false);
    if (!left.isEmpty())
      throw new IllegalArgumentException(left.keySet().iterator().next()
          + " has no name in transformers' CLIP or SigLIP: this model cannot be written as hf");
    if (siglip) r.replaceAll((n, p) -> n.startsWith("logit_") ? p.reshape(1) : p);
    return r;
  }

  private static Map<String, Piece> moved(List<Row> rows, Map<String, Piece> from, boolean toOurs) {
    var r = new LinkedHashMap<String, Piece>();
    for (var row : rows) {
      var names = toOurs ? row.theirs : row.ours;
      if (!from.keySet().containsAll(names)) continue;
      var joined = Piece.joined(names.stream().map(from::remove).toList());
      int[] d = joined.shape().dims();
      joined = switch (row.lies) {
        case SAME -> joined;
        case TURNED -> joined.turned(1, 0);
        case FLAT -> toOurs ? joined.reshape(1, d[0], d[1]) : joined.reshape(d[1], d[2]);
        case SQUARE -> {
          int side = (int) Math.sqrt(d[0]);
          yield toOurs ? joined.reshape(1, side, side, d[1]) : joined.reshape(d[1] * d[2], d[3]);
        }
      };
      var to = toOurs ? row.ours : row.theirs;
      if (to.size() == 1) { r.put(to.getFirst(), joined); continue; }
      if (d[0] % 3 != 0)
        throw new IllegalArgumentException(names.getFirst() + " is " + joined.shape()
            + ", expected rows for queries, keys and values");
      int third = d[0] / 3;
      for (int i = 0, at = 0; i < to.size(); i++) {
        int end = to.size() == 2 && i == 1 ? d[0] : at + third;
        r.put(to.get(i), joined.part(at, end));
        at = end;
      }
    }
    return r;
  }

  static int layers(Iterable<String> names, String prefix) {
    int most = 0;
    for (var n : names) {
      if (!n.startsWith(prefix)) continue;
      int dot = n.indexOf('.', prefix.length());
      if (dot > 0 && n.substring(prefix.length(), dot).matches("\\d{1,4}"))
        most = Math.max(most, 1 + Integer.parseInt(n.substring(prefix.length(), dot)));
    }
    return most;
  }
}
