package jacquard.clip.model.resnet;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.model.tower.Positions;
import jacquard.clip.nn.BatchNorm;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Pass;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import jacquard.tensor.op.Fused;
import jacquard.tensor.op.Ranges;
import java.util.ArrayList;
import java.util.List;

/// CLIP's ResNet: a stem of three convolutions, pooling before every strided 1×1, attention pooling at the end.
///
/// @param fixed how many groups, the stem first, normalise with their running statistics in training too and leave them
///   as they are
public record ModifiedResNet(Conv2d conv1, BatchNorm bn1, Conv2d conv2, BatchNorm bn2, Conv2d conv3, BatchNorm bn3,
    List<Bottleneck> layer1, List<Bottleneck> layer2,
                             List<Bottleneck> layer3, List<Bottleneck> layer4, AttentionPool attnpool,
                                 ResNetConfig config, int fixed) implements ImageTower {

  /// 1×1, 3×3, pooling by `stride`, 1×1 to four times the planes; the skip is pooled and projected where the shape
  /// changes.
  public record Bottleneck(Conv2d conv1, BatchNorm bn1, Conv2d conv2, BatchNorm bn2, Conv2d conv3, BatchNorm bn3,
      Downsample downsample, int stride) {
    /// What the skip is projected by, once it is pooled.
    public record Downsample(@Named("0") Conv2d conv, @Named("1") BatchNorm norm) {}

    static Bottleneck of(Init.Maker make, int in, int planes, int stride) {
      return new Bottleneck(Conv2d.of(make, in, planes, 1, 1, Padding.NONE), BatchNorm.of(make, planes, Init.ONES),
          Conv2d.of(make, planes, planes, 3, 1, Padding.of(1)),
          BatchNorm.of(make, planes, Init.ONES), Conv2d.of(make, planes, planes * 4, 1, 1, Padding.NONE),
              BatchNorm.of(make, planes * 4, Init.ZEROS),
          stride > 1 || in != planes * 4 ? new Downsample(Conv2d.of(make, in, planes * 4, 1, 1, Padding.NONE),
              BatchNorm.of(make, planes * 4, Init.ONES)) : null, stride);
    }

    Tensor apply(Tensor x, Grid grid) {
      var y = bn1.apply(conv1.apply(x, grid)).activate(Activation.RELU);
      y = pooled(bn2.apply(conv2.apply(y, grid)).activate(Activation.RELU), grid, stride);
      var to = stride > 1 ? grid.windows(stride, stride, stride, 0) : grid;
      y = bn3.apply(conv3.apply(y, to));
      var skip = downsample == null ? x : downsample.norm.apply(downsample.conv.apply(pooled(x, grid, stride), to));
      return y.add(skip).activate(Activation.RELU);
    }
  }

  /// The mean row asks all rows: single-query attention, then a projection to the embedding.
  public record AttentionPool(@Named("positional_embedding") Tensor positions, @Named("q_proj") Linear queries,
      @Named("k_proj") Linear keys,
                              @Named("v_proj") Linear values, @Named("c_proj") Linear out, int heads) {
    Tensor apply(Tensor x, int count) {
      int n = x.dim(0) / count, width = x.dim(1);
      var tokens = Sequences.equal(count, n + 1);
      int[] owner = new int[count * n], source = new int[tokens.rows()], first = new int[count];
      for (int i = 0; i < owner.length; i++) owner[i] = i / n;
      for (int b = 0; b < count; b++) {
        first[b] = b * (n + 1);
        source[first[b]] = b;
        for (int i = 0; i < n; i++) source[first[b] + 1 + i] = count + b * n + i;
      }
      // [count, width]
      var mean = x.scatterAdd(count, Tensor.ofInts(jacquard.tensor.Shape.of(owner.length), owner)).mul(1f / n);
      var t = Tensor.concat(0, List.of(mean, x)).gather(source).add(positions.gather(tokens.positions()));
      var single = Sequences.equal(count, 1);
      var op = new jacquard.tensor.op.Attention(heads, (float) (1 / Math.sqrt(width / heads)), single, tokens,
          Ranges.full(single, tokens));
      return out.apply(Tensor.apply(op, queries.apply(t.gather(first)), keys.apply(t), values.apply(t)));
    }
  }

  public static ModifiedResNet of(ResNetConfig c, ClipConfig clip, Init.Maker make) {
    int w = c.width(), wide = w * 32, cells = c.grid().size();
    int[] in = {w};
    Init project = new Init.Normal(1 / Math.sqrt(wide));
    return new ModifiedResNet(Conv2d.of(make, 3, w / 2, 3, 2, Padding.of(1)), BatchNorm.of(make, w / 2, Init.ONES),
        Conv2d.of(make, w / 2, w / 2, 3, 1, Padding.of(1)), BatchNorm.of(make, w / 2, Init.ONES),
        Conv2d.of(make, w / 2, w, 3, 1, Padding.of(1)), BatchNorm.of(make, w, Init.ONES),
        stage(make, in, w, c.layers().get(0), 1), stage(make, in, w * 2, c.layers().get(1), 2),
        stage(make, in, w * 4, c.layers().get(2), 2), stage(make, in, w * 8, c.layers().get(3), 2),
        new AttentionPool(make.make(project, cells + 1, wide), Linear.of(make, wide, wide, project, Init.fanIn(wide)),
            Linear.of(make, wide, wide, project, Init.fanIn(wide)),
            Linear.of(make, wide, wide, project, Init.fanIn(wide)),
                Linear.of(make, wide, clip.embedding(), project, Init.fanIn(wide)), c.heads()), c, 0);
  }

  private static List<Bottleneck> stage(Init.Maker make, int[] in, int planes, int count, int stride) {
    var r = new ArrayList<Bottleneck>();
    for (int i = 0; i < count; i++) {
      r.add(Bottleneck.of(make, in[0], planes, i == 0 ? stride : 1));
      in[0] = planes * 4;
    }
    return r;
  }

  @Override public Grid input() { return config.input(); }

  @Override public Tensor features(ImageBatch images) { return attnpool.apply(map(images), images.count()); }

  /// The tokens are the cells of the last feature map.
  @Override public Encoding tokens(ImageBatch images) {
    var x = map(images);
    return new Encoding(attnpool.apply(x, images.count()), x,
        Sequences.equal(images.count(), x.dim(0) / images.count()));
  }

  /// The last feature map, a row a cell: `[count·cells, 32·width]`.
  private Tensor map(ImageBatch images) {
    if (!images.grid().equals(config.input()))
      throw new IllegalArgumentException("images of " + images.grid() + ", expected " + config.input());
    var grid = conv1.to(images.grid());
    var stem = grid;
    var x = pass(0).call(() -> Scope.result(() -> {
      var y = bn1.apply(images.through(conv1)).activate(Activation.RELU);
      y = bn2.apply(conv2.apply(y, stem)).activate(Activation.RELU);
      return pooled(bn3.apply(conv3.apply(y, stem)).activate(Activation.RELU), stem, 2);
    }));
    grid = grid.windows(2, 2, 2, 0);
    int group = 0;
    for (var stage : List.of(layer1, layer2, layer3, layer4)) {
      var pass = pass(++group);
      for (var block : stage) {
        var in = x;
        var at = grid;
        x = pass.call(() -> Transformer.once(in, t -> block.apply(t, at)));
        if (block.stride > 1) grid = grid.windows(block.stride, block.stride, block.stride, 0);
      }
    }
    return x;
  }

  private Pass pass(int group) { return group < fixed ? Pass.current().inference() : Pass.current(); }

  /// The stem, each stage, the attention pool.
  @Override public List<List<String>> groups() {
    return List.of(List.of("conv?.**", "bn?.**"), List.of("layer1.**"), List.of("layer2.**"), List.of("layer3.**"),
        List.of("layer4.**"), List.of("attnpool.**"));
  }

  @Override public List<Positions> positions() {
    return List.of(new Positions.Cells("attnpool.positional_embedding", 1, config.grid()));
  }

  /// Only convolutions have more than two extents.
  @Override public OnDisk layout(String path) {
    return path.matches("(.*\\.)?conv\\d\\.weight|.*\\.downsample\\.0\\.weight") ? OnDisk.CHANNELS_FIRST : OnDisk.SAME;
  }

  @Override public ModifiedResNet fixed(int groups) {
    return new ModifiedResNet(conv1, bn1, conv2, bn2, conv3, bn3, layer1, layer2, layer3, layer4, attnpool, config,
        groups);
  }

  private static Tensor pooled(Tensor x, Grid grid, int size) {
    return size == 1 ? x : Tensor.apply(new Fused.AveragePool(grid, size), x);
  }
}
