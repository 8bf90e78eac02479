package jacquard.clip.checkpoint.names;

import jacquard.clip.checkpoint.Composed;
import jacquard.clip.checkpoint.Piece;
import jacquard.clip.checkpoint.Weights;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// EVA-CLIP's own names, and those of EVA-02's masked image modelling, whose tensors timm has under others. What was
/// there for the modelling alone (the mask's token and the head that foretells) is passed over, and so are rotations,
/// which follow from the size.
public final class EvaClip {
  private static final String TOWER = "visual.";
  private static final Map<String, String> BLOCK = Map.of("attn.inner_attn_ln.", "attn.norm.", "attn.q_bias",
      "attn.q_proj.bias", "attn.v_bias", "attn.v_proj.bias", "mlp.w1.", "mlp.fc1_g.", "mlp.w2.", "mlp.fc1_x.",
      "mlp.ffn_ln.", "mlp.norm.", "mlp.w3.", "mlp.fc2.");
  private static final Set<String> MODELLING = Set.of("mask_token", "lm_head.weight", "lm_head.bias");

  private EvaClip() {}

  /// Whether the weights are of EVA-CLIP, or of a bare image tower of its kind.
  public static boolean are(Weights w) {
    return w.contains("visual.blocks.0.norm1.weight") || w.contains("blocks.0.mlp.w1.weight")
        || w.contains("mask_token") && w.contains("blocks.0.norm1.weight");
  }

  static Weights read(Weights w) throws IOException {
    var r = new LinkedHashMap<String, Piece>();
    boolean whole = w.contains("visual.blocks.0.norm1.weight");
    for (var n : w.names()) {
      var bare = whole && n.startsWith(TOWER) ? n.substring(TOWER.length()) : n;
      if (whole && bare.equals(n)) {
        r.put(n, Piece.of(w, n));
        continue;
      }
      if (MODELLING.contains(bare) || bare.contains("rope.") || bare.endsWith("relative_position_index")) continue;
      r.put((whole ? TOWER + "trunk." : "") + named(bare, w.contains((whole ? TOWER : "")
          + "blocks.0.attn.q_proj.weight")), Piece.of(w, n));
    }
    return new Composed(w.file(), r, w.metadata(), w);
  }

  /// @param apart whether queries, keys and values are apart, and so their biases
  private static String named(String n, boolean apart) {
    if (!n.startsWith("blocks.")) return n;
    int dot = n.indexOf('.', "blocks.".length());
    var rest = n.substring(dot + 1);
    if (!apart && rest.startsWith("attn.")) return n;
    for (var e : BLOCK.entrySet())
      if (rest.startsWith(e.getKey())) return n.substring(0, dot + 1) + e.getValue()
          + rest.substring(e.getKey().length());
    return n;
  }
}
