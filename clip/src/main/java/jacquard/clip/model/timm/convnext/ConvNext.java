package jacquard.clip.model.timm.convnext;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.timm.Head;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.timm.TimmMlp;
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
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// timm's ConvNeXt (Liu et al. 2022): patches of 4 pixels, four stages of blocks, halved grids between them, the mean
/// of the last.
public record ConvNext(Trunk trunk, Head head, TimmConfig config) implements ImageTower {
  /// timm's own model.
  record Trunk(Patches stem, List<Stage> stages, @Named("head") Last last) {}

  /// norm(conv(x)), a window a patch.
  record Patches(@Named("0") Conv2d convolution, @Named("1") LayerNorm norm) {}

  /// conv(norm(x)), halving the grid.
  record Downsample(@Named("0") LayerNorm norm, @Named("1") Conv2d convolution) {}

  /// @param downsample null in the first stage
  record Stage(Downsample downsample, List<Block> blocks) {}

  /// x + γ·mlp(norm(conv(x))), a 7×7 kernel a channel.
  record Block(@Named("conv_dw") Conv2d convolution, LayerNorm norm, TimmMlp mlp, Tensor gamma, Drop drop) {
    static Block of(Init.Maker make, int width, float epsilon, Drop drop) {
      return new Block(conv(make, Shape.of(width, 7, 7, 1), 1, width), LayerNorm.of(make, width, epsilon),
          TimmMlp.of(make, width, 4 * width, Activation.GELU), make.make(new Init.Constant(1e-6f), width), drop);
    }

    Tensor apply(Tensor x, Grid grid) {
      return x.add(drop.path(mlp.apply(norm.apply(convolution.apply(x, grid)), null).mul(gamma), grid.size(), 0));
    }
  }

  /// What follows the mean; the classifier may be null.
  record Last(LayerNorm norm, @Named("fc") Linear classifier) {}

  public static boolean known(TimmConfig config) { return Architecture.known(config.name()); }

  public static Optional<String> refused(TimmConfig config) { return Architecture.refused(config); }

  public static ConvNext of(TimmConfig config, ClipConfig clip, Init.Maker make) {
    var a = Architecture.of(config);
    int in = a.dims().getFirst(), embedding = clip.embedding();
    var stem = new Patches(conv(make, Shape.of(in, 4, 4, 3), 4, 1).unpadded(), LayerNorm.of(make, in, a.epsilon()));
    var stages = new ArrayList<Stage>();
    int all = a.depths().stream().mapToInt(d -> d).sum();
    var drops = Drop.rising(config.dropPath(0), all, "blocks").iterator();
    for (int i = 0; i < a.dims().size(); i++) {
      int width = a.dims().get(i);
      var down = i == 0 ? null
          : new Downsample(LayerNorm.of(make, in, a.epsilon()), conv(make, Shape.of(width, 2, 2, in), 2, 1).unpadded());
      var blocks = new ArrayList<Block>();
      for (int j = 0; j < a.depths().get(i); j++) blocks.add(Block.of(make, width, a.epsilon(), drops.next()));
      stages.add(new Stage(down, List.copyOf(blocks)));
      in = width;
    }
    var last = new Last(LayerNorm.of(make, in, a.epsilon()), Head.classifier(config, make, in, embedding));
    return new ConvNext(new Trunk(stem, List.copyOf(stages), last), Head.of(config, make, in, embedding), config);
  }

  private static Conv2d conv(Init.Maker make, Shape weight, int stride, int groups) {
    return Conv2d.of(make, weight, stride, groups, new Init.Normal(0.02), Init.ZEROS);
  }

  @Override public Grid input() { return config.input(); }

  @Override public Tensor features(ImageBatch images) { return tokens(images).features(); }

  /// The tokens are the cells of the last feature map.
  @Override public Encoding tokens(ImageBatch images) {
    var x = Scope.result(() -> trunk.stem.norm.apply(images.through(trunk.stem.convolution)));
    var grid = trunk.stem.convolution.to(images.grid());
    for (var stage : trunk.stages) {
      if (stage.downsample != null) {
        var in = x;
        var from = grid;
        x = Transformer.once(in, t -> stage.downsample.convolution.apply(stage.downsample.norm.apply(t), from));
        grid = stage.downsample.convolution.to(grid);
      }
      var at = grid;
      for (var block : stage.blocks) x = Transformer.once(x, t -> block.apply(t, at));
    }
    var cells = Sequences.equal(images.count(), grid.size());
    var y = trunk.last.norm.apply(Pooling.mean(x, cells, 0));
    return new Encoding(head.apply(trunk.last.classifier == null ? y : trunk.last.classifier.apply(y)), x, cells);
  }

  /// The stem; a group a block, the first of a stage with what halves the grid before it; the last norm; OpenCLIP's
  /// head.
  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(List.of("trunk.stem.**"));
    for (int i = 0; i < trunk.stages.size(); i++)
      for (int j = 0; j < trunk.stages.get(i).blocks.size(); j++) {
        var block = "trunk.stages." + i + ".blocks." + j + ".**";
        r.add(j == 0 && i > 0 ? List.of("trunk.stages." + i + ".downsample.**", block) : List.of(block));
      }
    r.add(List.of("trunk.head.**"));
    if (!head.empty()) r.add(List.of("head.**"));
    return r;
  }

  @Override public OnDisk layout(String path) {
    return path.matches("trunk\\.stem\\.0\\.weight|.*\\.downsample\\.1\\.weight|.*\\.conv_dw\\.weight")
        ? OnDisk.CHANNELS_FIRST : OnDisk.SAME;
  }
}
