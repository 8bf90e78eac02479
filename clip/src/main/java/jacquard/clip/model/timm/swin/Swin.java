package jacquard.clip.model.timm.swin;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.timm.Head;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.timm.TimmMlp;
import jacquard.clip.model.timm.VitBlock;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.Pooling;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// timm's Swin transformer (Liu et al. 2021): attention within windows, which every second block shifts; four cells
/// become one between stages; the mean of the last.
public record Swin(Trunk trunk, Head head, TimmConfig config) implements ImageTower {
  /// timm's own model.
  record Trunk(@Named("patch_embed") Patches patches, @Named("layers") List<Stage> stages, LayerNorm norm,
      @Named("head") Last last) {}

  record Patches(@Named("proj") Conv2d convolution, LayerNorm norm) {}

  /// @param downsample null in the first stage
  record Stage(Merge downsample, List<Block> blocks) {}

  /// The classifier may be null.
  record Last(@Named("fc") Linear classifier) {}

  /// Four neighbours as one row, column by column, zeros beyond the edge; a norm; half as many channels.
  record Merge(LayerNorm norm, Linear reduction) {
    static Merge of(Init.Maker make, int width) {
      return new Merge(LayerNorm.of(make, 4 * width, Architecture.EPSILON),
          VitBlock.linear(make, 4 * width, 2 * width, false));
    }

    Tensor apply(Tensor x, Grid grid, Grid to) {
      int[] index = new int[x.dim(0) / grid.size() * to.size() * 4];
      for (int i = 0; i < index.length; i++) {
        int cell = i / 4, map = cell / to.size(), row = cell % to.size() / to.width() * 2 + i % 2, column =
            cell % to.width() * 2 + i / 2 % 2;
        index[i] = row < grid.height() && column < grid.width() ? (map * grid.height() + row) * grid.width() + column
            : -1;
      }
      return reduction.apply(norm.apply(x.gather(index).reshape(index.length / 4, 4 * x.dim(1))));
    }
  }

  /// x + attention(norm(x)), then x + mlp(norm(x)).
  record Block(LayerNorm norm1, @Named("attn") WindowAttention attention, LayerNorm norm2, TimmMlp mlp,
      Windows windows, Drop drop) {
    static Block of(Init.Maker make, int width, int heads, Windows windows, Drop drop) {
      return new Block(LayerNorm.of(make, width, Architecture.EPSILON), WindowAttention.of(make, width, heads, windows),
          LayerNorm.of(make, width, Architecture.EPSILON), TimmMlp.of(make, width, 4 * width, Activation.GELU),
          windows, drop);
    }

    Tensor apply(Tensor x) {
      int maps = x.dim(0) / windows.grid().size();
      var s = Sequences.equal(maps, windows.grid().size());
      var y = drop.beside(x, added -> attention.apply(norm1.apply(x), windows, maps, added), s, 0);
      return drop.beside(y, added -> mlp.apply(norm2.apply(y), added), s, 1);
    }
  }

  public static boolean known(TimmConfig config) { return Architecture.known(config.name()); }

  public static Optional<String> refused(TimmConfig config) { return Architecture.refused(config); }

  public static Swin of(TimmConfig config, ClipConfig clip, Init.Maker make) {
    var a = Architecture.of(config);
    int patch = Architecture.PATCH, last = a.width(a.depths().size() - 1), embedding = clip.embedding();
    var patches = new Patches(Conv2d.of(make, 3, a.width(), patch, patch, Padding.NONE, true),
        LayerNorm.of(make, a.width(), Architecture.EPSILON));
    var grid = patches.convolution.to(config.input());
    var stages = new ArrayList<Stage>();
    int all = a.depths().stream().mapToInt(d -> d).sum();
    var drops = Drop.rising(config.dropPath(Architecture.DROP_PATH), all, "blocks").iterator();
    for (int i = 0; i < a.depths().size(); i++) {
      if (i > 0) grid = halved(grid);
      var down = i == 0 ? null : Merge.of(make, a.width(i - 1));
      var blocks = new ArrayList<Block>();
      for (int j = 0; j < a.depths().get(i); j++)
        blocks.add(Block.of(make, a.width(i), a.heads().get(i), Windows.of(grid, a.window(), j % 2 == 1),
            drops.next()));
      stages.add(new Stage(down, List.copyOf(blocks)));
    }
    var trunk = new Trunk(patches, List.copyOf(stages), LayerNorm.of(make, last, Architecture.EPSILON),
        new Last(Head.classifier(config, make, last, embedding)));
    return new Swin(trunk, Head.of(config, make, last, embedding), config);
  }

  private static Grid halved(Grid grid) {
    return new Grid(Math.ceilDiv(grid.height(), 2), Math.ceilDiv(grid.width(), 2));
  }

  @Override public Grid input() { return config.input(); }

  @Override public Tensor features(ImageBatch images) { return tokens(images).features(); }

  /// The tokens are the cells of the last feature map, normalised.
  @Override public Encoding tokens(ImageBatch images) {
    if (!images.grid().equals(input()))
      throw new IllegalArgumentException("images of " + images.grid() + ", expected " + input());
    var x = Scope.result(() -> trunk.patches.norm.apply(images.through(trunk.patches.convolution)));
    var grid = trunk.patches.convolution.to(images.grid());
    for (var stage : trunk.stages) {
      if (stage.downsample != null) {
        Grid from = grid, to = halved(grid);
        x = Transformer.once(x, t -> stage.downsample.apply(t, from, to));
        grid = to;
      }
      for (var block : stage.blocks) x = Transformer.once(x, block::apply);
    }
    x = trunk.norm.apply(x);
    var cells = Sequences.equal(images.count(), grid.size());
    var y = Pooling.mean(x, cells, 0);
    return new Encoding(head.apply(trunk.last.classifier == null ? y : trunk.last.classifier.apply(y)), x, cells);
  }

  /// The patches; a group a block, the first of a stage with what merges cells before it, the last of all with the
  /// final norm; the classifier; OpenCLIP's head.
  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(List.of("trunk.patch_embed.**"));
    for (int i = 0; i < trunk.stages.size(); i++)
      for (int j = 0; j < trunk.stages.get(i).blocks.size(); j++) {
        var group = new ArrayList<>(List.of("trunk.layers." + i + ".blocks." + j + ".**"));
        if (j == 0 && i > 0) group.add("trunk.layers." + i + ".downsample.**");
        r.add(group);
      }
    r.getLast().add("trunk.norm.**");
    if (trunk.last.classifier != null) r.add(List.of("trunk.head.**"));
    if (!head.empty()) r.add(List.of("head.**"));
    return r;
  }

  @Override public List<String> undecayed() { return List.of("trunk.**.relative_position_bias_table"); }

  @Override public OnDisk layout(String path) {
    return path.equals("trunk.patch_embed.proj.weight") ? OnDisk.CHANNELS_FIRST : OnDisk.SAME;
  }
}
