package jacquard.clip.model.timm.efficientnet;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.timm.Head;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.nn.BatchNorm;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.Pooling;
import jacquard.clip.nn.convolution.Pointwise;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// timm's EfficientNet-Lite (Tan and Le 2019; without squeeze and excitation, activations at most 6), padded as
/// TensorFlow does. Stochastic depth is left out.
///
/// @param fixed how many groups, the stem first, normalise with their running statistics in training too and leave them
///   as they are
public record EfficientNet(Trunk trunk, Head head, TimmConfig config, int fixed) implements ImageTower {
  /// timm's own model; the classifier may be null.
  record Trunk(@Named("conv_stem") SameConv stem, BatchNorm bn1, @Named("blocks") List<List<Block>> stages,
      @Named("conv_head") Pointwise last,
      BatchNorm bn2, Linear classifier) {}

  public static boolean known(TimmConfig config) { return Architecture.known(config.name()); }

  public static Optional<String> refused(TimmConfig config) {
    return config.dropPath(0) > 0 ? Optional.of("timm_drop_path of " + config.name()) : Architecture.refused(config);
  }

  public static EfficientNet of(TimmConfig config, ClipConfig clip, Init.Maker make) {
    int in = Architecture.STEM, last = Architecture.LAST, embedding = clip.embedding();
    var stem = SameConv.of(make, Shape.of(in, 3, 3, 3), 2, 1);
    var norm = Block.norm(make, in);
    var stages = new ArrayList<List<Block>>();
    for (var s : Architecture.of(config).stages()) {
      var blocks = new ArrayList<Block>();
      for (int j = 0; j < s.depth(); j++) {
        blocks.add(Block.of(make, s, in, j == 0 ? s.stride() : 1));
        in = s.channels();
      }
      stages.add(List.copyOf(blocks));
    }
    var trunk = new Trunk(stem, norm, List.copyOf(stages),
        Pointwise.of(make, in, last, new Init.Normal(Math.sqrt(2.0 / last)), null),
        Block.norm(make, last), Head.classifier(config, make, last, embedding));
    return new EfficientNet(trunk, Head.of(config, make, last, embedding), config, 0);
  }

  @Override public Grid input() { return config.input(); }

  @Override public Tensor features(ImageBatch images) { return tokens(images).features(); }

  /// The tokens are the cells of the last feature map.
  @Override public Encoding tokens(ImageBatch images) {
    int group = 0;
    var x = pass(group++).call(() -> Scope.result(() -> Block.capped(trunk.bn1, trunk.stem.apply(images))));
    var grid = trunk.stem.to(images.grid());
    for (var stage : trunk.stages)
      for (var block : stage) {
        var in = x;
        var from = grid;
        x = pass(group++).call(() -> Transformer.once(in, t -> block.apply(t, from)));
        grid = block.to(grid);
      }
    var in = x;
    var y = pass(group - 1)
        .call(() -> Scope.result(() -> Block.capped(trunk.bn2, trunk.last.apply(in, Activation.NONE))));
    var cells = Sequences.equal(images.count(), grid.size());
    var mean = Pooling.mean(y, cells, 0);
    return new Encoding(head.apply(trunk.classifier == null ? mean : trunk.classifier.apply(mean)), y, cells);
  }

  private Pass pass(int group) { return group < fixed ? Pass.current().inference() : Pass.current(); }

  /// The stem; a group a block, the last one with the last convolution; the classifier; OpenCLIP's head.
  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(List.of("trunk.conv_stem.**", "trunk.bn1.**"));
    for (int i = 0; i < trunk.stages.size(); i++)
      for (int j = 0; j < trunk.stages.get(i).size(); j++)
        r.add(new ArrayList<>(List.of("trunk.blocks." + i + "." + j + ".**")));
    r.getLast().addAll(List.of("trunk.conv_head.**", "trunk.bn2.**"));
    if (trunk.classifier != null) r.add(List.of("trunk.classifier.**"));
    if (!head.empty()) r.add(List.of("head.**"));
    return r;
  }

  @Override public OnDisk layout(String path) {
    return path.matches("trunk\\..*conv_\\w+\\.weight") ? OnDisk.CHANNELS_FIRST : OnDisk.SAME;
  }

  @Override public EfficientNet fixed(int groups) { return new EfficientNet(trunk, head, config, groups); }
}
