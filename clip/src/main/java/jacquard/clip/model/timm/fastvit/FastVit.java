package jacquard.clip.model.timm.fastvit;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.timm.Head;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.Pooling;
import jacquard.clip.nn.convolution.SqueezeExcite;
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

/// timm's FastViT as MobileCLIP has it (Vasu et al. 2023 and 2024): convolutions of parallel branches, attention in the
/// last stages, the mean of the last feature map.
///
/// @param fixed how many groups, the stem first, normalise with their running statistics in training too and leave them
///   as they are
public record FastVit(Trunk trunk, Head head, TimmConfig config, int fixed) implements ImageTower {
  /// timm's own model.
  record Trunk(List<MobileOne> stem, List<Stage> stages, @Named("final_conv") MobileOne last,
      @Named("head") Classifier classifier) {}

  /// The absent are null.
  record Stage(Downsample downsample, @Named("pos_emb") Positional positions, List<Block> blocks) {}

  /// x + conv(x), a 7×7 kernel a channel; or in one. One of the two is null.
  record Positional(@Named("pos_enc") Conv2d convolution, @Named("reparam_conv") Conv2d whole) {
    Tensor apply(Tensor x, Grid grid) {
      return whole != null ? whole.apply(x, grid) : convolution.apply(x, grid).add(x);
    }

    Positional folded() {
      if (whole != null) return this;
      var f = new Folding(convolution);
      f.addIdentity();
      f.add(convolution);
      return new Positional(null, f.convolution());
    }
  }

  record Classifier(Linear fc) {}

  public static boolean known(TimmConfig config) { return Architecture.known(config.name()); }

  public static Optional<String> refused(TimmConfig config) { return Architecture.refused(config); }

  public static FastVit of(TimmConfig config, ClipConfig clip, Init.Maker make) {
    var a = Architecture.of(config);
    int in = a.widths().getFirst(), embedding = clip.embedding();
    boolean folded = a.folded();
    var stem = new ArrayList<MobileOne>();
    for (var s : List.of(MobileOne.Shaped.of(3, in, 3, 2, false), MobileOne.Shaped.of(in, in, 3, 2, true),
        MobileOne.Shaped.of(in, in, 1, 1, false)))
      stem.add(MobileOne.of(make, s.single(a.scaledStem()).folded(folded), null, Activation.GELU));
    var stages = new ArrayList<Stage>();
    var drops = Drop.rising(config.dropPath(0), a.depths().stream().mapToInt(d -> d).sum(), "blocks").iterator();
    for (int i = 0; i < a.depths().size(); i++) {
      int width = a.widths().get(i), hidden = width * a.mlpRatio();
      var down = i == 0 ? null : Downsample.of(make, in, width, a.excites(i), folded);
      var blocks = new ArrayList<Block>();
      for (int j = 0; j < a.depths().get(i); j++)
        blocks.add(a.attends(i) ? Block.Attending.of(make, width, hidden, a.layerNorm(), drops.next())
            : Block.Mixing.of(make, width, hidden, folded, drops.next()));
      stages.add(new Stage(down, a.attends(i) ? positional(make, width, folded) : null, List.copyOf(blocks)));
      in = width;
    }
    int out = 2 * in;
    var last = MobileOne.of(make, MobileOne.Shaped.of(in, out, 3, 1, true).folded(folded),
        SqueezeExcite.of(make, out, (out + 8) / 16), Activation.GELU);
    var trunk = new Trunk(List.copyOf(stem), List.copyOf(stages), last,
        new Classifier(Head.classifier(config, make, out, embedding)));
    return new FastVit(trunk, Head.of(config, make, out, embedding), config, 0);
  }

  private static Positional positional(Init.Maker make, int width, boolean folded) {
    var c = Conv2d.of(make, Shape.of(width, 7, 7, 1), 1, width, Init.fanIn(49), Init.fanIn(49));
    return folded ? new Positional(null, c) : new Positional(c, null);
  }

  /// The same tower for evaluation, re-parameterised: parallel branches and their norms are one convolution. What it
  /// holds is what timm has for `inference_mode`, and so its config says.
  public FastVit reparameterised() {
    var t = trunk;
    var stages = t.stages.stream().map(s -> new Stage(s.downsample == null ? null : s.downsample.folded(),
        s.positions == null ? null : s.positions.folded(), s.blocks.stream().map(Block::folded).toList())).toList();
    return new FastVit(new Trunk(t.stem.stream().map(MobileOne::folded).toList(), stages, t.last.folded(),
        t.classifier), head,
        config.with("inference_mode", true), fixed);
  }

  @Override public Grid input() { return config.input(); }

  @Override public Tensor features(ImageBatch images) { return tokens(images).features(); }

  /// The tokens are the cells of the last feature map.
  @Override public Encoding tokens(ImageBatch images) {
    var stem = trunk.stem;
    Grid half = stem.get(0).to(images.grid()), quarter = stem.get(1).to(half);
    var x = pass(0)
        .call(() -> Scope.result(() -> stem.get(2).apply(stem.get(1).apply(stem.get(0).apply(images), half), quarter)));
    var grid = quarter;
    int group = 1;
    for (var stage : trunk.stages) {
      var pass = pass(group);
      var from = grid;
      if (stage.downsample != null) {
        grid = stage.downsample.to(grid);
        var in = x;
        x = pass.call(() -> Transformer.once(in, t -> stage.downsample.apply(t, from)));
      }
      var at = grid;
      if (stage.positions != null) x = stage.positions.apply(x, at);
      for (var block : stage.blocks) {
        var in = x;
        x = pass(group++).call(() -> Transformer.once(in, t -> block.apply(t, at)));
      }
    }
    Grid at = grid;
    var in = x;
    var y = pass(group).call(() -> Scope.result(() -> trunk.last.apply(in, at)));
    var cells = Sequences.equal(images.count(), at.size());
    var mean = Pooling.mean(y, cells, 0);
    return new Encoding(head.apply(trunk.classifier.fc == null ? mean : trunk.classifier.fc.apply(mean)), y, cells);
  }

  private Pass pass(int group) { return group < fixed ? Pass.current().inference() : Pass.current(); }

  /// The stem; a group a block, the first of a stage with what comes before it; what follows the blocks; OpenCLIP's
  /// head.
  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(List.of("trunk.stem.**"));
    for (int i = 0; i < trunk.stages.size(); i++) {
      var stage = trunk.stages.get(i);
      for (int j = 0; j < stage.blocks.size(); j++) {
        var group = new ArrayList<>(List.of("trunk.stages." + i + ".blocks." + j + ".**"));
        if (j == 0 && stage.downsample != null) group.add("trunk.stages." + i + ".downsample.**");
        if (j == 0 && stage.positions != null) group.add("trunk.stages." + i + ".pos_emb.**");
        r.add(group);
      }
    }
    var last = new ArrayList<>(List.of("trunk.final_conv.**"));
    if (trunk.classifier.fc != null) last.add("trunk.head.**");
    r.add(last);
    if (!head.empty()) r.add(List.of("head.**"));
    return r;
  }

  @Override public OnDisk layout(String path) {
    return path.matches("trunk\\..*(conv|pos_enc|\\.se\\.fc[12]|\\.mlp\\.fc[12])\\.weight") ? OnDisk.CHANNELS_FIRST
        : OnDisk.SAME;
  }

  @Override public FastVit fixed(int groups) { return new FastVit(trunk, head, config, groups); }
}
