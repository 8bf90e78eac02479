package jacquard.clip.checkpoint.names;

import jacquard.clip.checkpoint.Composed;
import jacquard.clip.checkpoint.Piece;
import jacquard.clip.checkpoint.Weights;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/// OpenCLIP's own ViT as the NaFlex tower that `--force-naflex-vision` makes of it: the same tensors under timm's
/// names. The class token takes up its position, the others become a grid, and patches are rows of a matrix.
public final class FlexibleVit {
  private static final Map<String, String> BLOCK = Map.of("ln_1.", "norm1.", "attn.in_proj_", "attn.qkv.",
      "attn.out_proj.", "attn.proj.", "ln_2.", "norm2.", "mlp.c_fc.", "mlp.fc1.", "mlp.c_proj.", "mlp.fc2.",
      "ls_1.", "ls1.", "ls_2.", "ls2.");
  private static final String BLOCKS = "visual.transformer.resblocks.";

  private FlexibleVit() {}

  /// Whether the weights are of OpenCLIP's own ViT.
  public static boolean needed(Weights w) {
    return w.contains("visual.conv1.weight") && w.contains("visual.class_embedding")
        && w.contains("visual.positional_embedding");
  }

  /// @throws IllegalArgumentException if the positions are of no square grid, or a shape is none of a ViT's
  public static Weights read(Weights w) throws IOException {
    var r = new LinkedHashMap<String, Piece>();
    for (var n : w.names()) {
      if (!n.startsWith("visual.")) { r.put(n, Piece.of(w, n)); continue; }
      var p = Piece.of(w, n);
      switch (n) {
        case "visual.class_embedding" -> {}
        case "visual.positional_embedding" -> {
          int rows = p.shape().dim(0), width = p.shape().dim(1), side = (int) Math.sqrt(rows - 1);
          if (side * side != rows - 1)
            throw new IllegalArgumentException(n + " holds " + rows + " positions, expected 1 + n²");
          r.put("visual.trunk.embeds.cls_token",
              Piece.of(w, "visual.class_embedding").plus(p.at(0)).reshape(1, 1, width));
          r.put("visual.trunk.embeds.pos_embed", p.part(1, rows).reshape(1, side, side, width));
        }
        case "visual.conv1.weight" -> {
          var turned = p.turned(0, 2, 3, 1);
          r.put("visual.trunk.embeds.proj.weight",
              turned.reshape(p.shape().dim(0), (int) (p.shape().size() / p.shape().dim(0))));
        }
        case "visual.proj" -> r.put("visual.head.proj.weight", p.turned(1, 0));
        default -> r.put(named(n), p);
      }
    }
    return new Composed(w.file(), r, w);
  }

  private static String named(String n) {
    if (n.startsWith("visual.ln_pre.")) return "visual.trunk.norm_pre." + n.substring(14);
    if (n.startsWith("visual.ln_post.")) return "visual.trunk.norm." + n.substring(15);
    if (!n.startsWith(BLOCKS)) return n;
    int dot = n.indexOf('.', BLOCKS.length());
    var rest = dot < 0 ? "" : n.substring(dot + 1);
    for (var e : BLOCK.entrySet())
      if (rest.startsWith(e.getKey()))
        return "visual.trunk.blocks." + n.substring(BLOCKS.length(), dot + 1) + e.getValue()
            + rest.substring(e.getKey().length());
    return n;
  }
}
