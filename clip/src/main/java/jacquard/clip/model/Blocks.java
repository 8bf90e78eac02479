package jacquard.clip.model;

import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.Block;
import jacquard.clip.nn.transformer.LayerScale;
import jacquard.clip.nn.transformer.Mlp;
import jacquard.clip.nn.transformer.SelfAttention;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.op.Activation;
import java.util.ArrayList;
import java.util.List;

/// Builds the blocks that both transformer towers of OpenCLIP are made of.
public final class Blocks {
  /// How a tower's blocks begin: the vision tower keeps PyTorch's defaults, the text tower scales with width and depth.
  public record Inits(Init in, Init out, Init up, Init down) {
    public static Inits vision(int width, int hidden) {
      return new Inits(Init.xavier(width, 3 * width), Init.fanIn(width), Init.fanIn(width), Init.fanIn(hidden));
    }
    public static Inits text(int width, int layers) {
      double w = 1 / Math.sqrt(width), deep = w / Math.sqrt(2 * layers);
      return new Inits(new Init.Normal(w), new Init.Normal(deep), new Init.Normal(1 / Math.sqrt(2 * width)),
          new Init.Normal(deep));
    }
  }

  private Blocks() {}

  public static Transformer transformer(Init.Maker make, int layers, int width, int heads, double mlpRatio,
      double layerScale, float epsilon, Activation activation,
                                 BlockConfig o, Inits init) {
    if (width % heads != 0)
      throw new IllegalArgumentException("width " + width + " is no multiple of " + heads + " heads");
    int hidden = (int) (width * mlpRatio);
    var blocks = new ArrayList<Block>();
    for (int i = 0; i < layers; i++) {
      var attention = new SelfAttention(new Linear.Packed(make.make(init.in, 3 * width, width),
          make.make(Init.ZEROS, 3 * width)),
          Linear.of(make, width, width, init.out, Init.ZEROS),
          o.queryKeyNorm() ? LayerNorm.of(make, width / heads, epsilon) : null, o.queryKeyNorm()
              ? LayerNorm.of(make, width / heads, epsilon) : null,
          o.cosine() ? make.make(new Init.Constant((float) Math.log(10)), heads, 1, 1) : null, o.scaleHeads()
              ? make.make(Init.ONES, heads, 1, 1) : null,
          o.innerNorm() ? LayerNorm.of(make, width, epsilon) : null, heads);
      var mlp = new Mlp(Linear.of(make, width, hidden, init.up, Init.fanIn(width)), o.mlpNorm()
          ? LayerNorm.of(make, hidden, epsilon) : null,
          Linear.of(make, hidden, width, init.down, Init.fanIn(hidden)), activation);
      blocks.add(new Block(LayerNorm.of(make, width, epsilon), attention, o.attentionNorm()
          ? LayerNorm.of(make, width, epsilon) : null, scale(make, layerScale, width),
          LayerNorm.of(make, width, epsilon), mlp, scale(make, layerScale, width), Drop.NONE));
    }
    return new Transformer(blocks);
  }

  /// The groups of a transformer tower: what comes before the blocks, each block (the last one with what follows it),
  /// the head. Empty globs stand for what is absent.
  public static List<List<String>> groups(List<String> before, int blocks, List<String> after, List<String> head) {
    var r = new ArrayList<List<String>>();
    r.add(before.stream().filter(g -> !g.isEmpty()).toList());
    for (int i = 0; i < blocks; i++) {
      var block = new ArrayList<>(List.of("transformer.resblocks." + i + ".**"));
      if (i == blocks - 1) after.stream().filter(g -> !g.isEmpty()).forEach(block::add);
      r.add(block);
    }
    if (!head.isEmpty()) r.add(head);
    return r;
  }

  private static LayerScale scale(Init.Maker make, double start, int width) {
    return start == 0 ? null : new LayerScale(make.make(new Init.Constant((float) start), width));
  }
}
