package jacquard.clip.model.timm.hybrid;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.timm.Head;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.model.tower.Positions;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.Pooling;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Scope;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// timm's transformers whose patches come of convolutions: MobileCLIP-B (Vasu et al. 2024) and ViTamin (Chen et al.
/// 2024).
///
/// @param fixed whether the stem normalises with its running statistics in training too: how many groups do, of which
///   it is the first
public record Hybrid(Trunk trunk, Head head, TimmConfig config, int fixed) implements ImageTower {
  /// timm's own model; the absent are null.
  ///
  /// @param classToken `[1, 1, width]`, before the cells, without a position
  /// @param positions `[1, cells, width]`
  record Trunk(@Named("cls_token") Tensor classToken, @Named("pos_embed") Tensor positions,
      @Named("patch_embed.backbone") Backbone backbone,
      List<HybridBlock> blocks, LayerNorm norm, @Named("fc_norm") LayerNorm poolNorm,
          @Named("head") Linear classifier) {}

  public static boolean known(TimmConfig config) { return Architecture.known(config.name()); }

  public static Optional<String> refused(TimmConfig config) { return Architecture.refused(config); }

  public static Hybrid of(TimmConfig config, ClipConfig clip, Init.Maker make) {
    var a = Architecture.of(config);
    int w = a.width(), embedding = clip.embedding();
    boolean token = a.stem() instanceof Architecture.Stem.Patches;
    var backbone = Backbone.of(make, a);
    var positions = a.positions() ? make.make(new Init.Normal(0.02), 1, backbone.to(config.input()).size(), w) : null;
    var blocks = Drop.rising(config.dropPath(0), a.depth(), "blocks").stream().map(d -> HybridBlock.of(make, a, d))
        .toList();
    var norm = LayerNorm.of(make, w, Architecture.EPSILON);
    var trunk = new Trunk(token ? make.make(new Init.Normal(1e-6), 1, 1, w) : null, positions, backbone, blocks, token
        ? norm : null,
        token ? null : norm, Head.classifier(config, make, w, embedding));
    return new Hybrid(trunk, Head.of(config, make, w, embedding), config, 0);
  }

  @Override public Grid input() { return config.input(); }

  @Override public Tensor features(ImageBatch images) {
    if (trunk.classToken == null) return tokens(images).features();
    var sequences = Sequences.equal(images.count(), cells() + 1);
    return finished(trunk.norm.apply(blocks(images, sequences, Pooling.first(sequences))));
  }

  /// The tokens are the cells, after the last norm where that comes before pooling.
  @Override public Encoding tokens(ImageBatch images) {
    int prefix = trunk.classToken == null ? 0 : 1;
    var sequences = Sequences.equal(images.count(), cells() + prefix);
    var x = blocks(images, sequences, null);
    if (prefix == 0) return new Encoding(finished(trunk.poolNorm.apply(Pooling.mean(x, sequences, 0))), x, sequences);
    x = trunk.norm.apply(x);
    return Encoding.without(prefix, finished(x.gather(Pooling.first(sequences))), x, sequences);
  }

  private int cells() { return trunk.backbone.to(input()).size(); }

  /// From pixels through the blocks; all rows, or those asked for.
  private Tensor blocks(ImageBatch images, Sequences sequences, int[] rows) {
    if (!images.grid().equals(input()))
      throw new IllegalArgumentException("images of " + images.grid() + ", expected " + input());
    var pass = fixed > 0 ? Pass.current().inference() : Pass.current();
    var x = Scope.result(() -> embedded(pass.call(() -> Scope.result(() -> trunk.backbone.apply(images))), sequences));
    for (int i = 0; i < trunk.blocks.size(); i++) {
      var block = trunk.blocks.get(i);
      int[] only = i == trunk.blocks.size() - 1 ? rows : null;
      x = Transformer.once(x, t -> block.apply(t, sequences, only));
    }
    return x;
  }

  /// Cells with their positions, the class token before those of an image.
  private Tensor embedded(Tensor x, Sequences sequences) {
    int width = x.dim(1), cells = cells();
    if (trunk.positions != null)
      x = x.reshape(sequences.count(), cells, width).add(trunk.positions).reshape(x.shape());
    if (trunk.classToken == null) return x;
    int[] source = new int[sequences.rows()];
    // the token is row 0, cells follow
    for (int r = 0; r < source.length; r++) source[r] = r % (cells + 1) == 0 ? 0 : r - r / (cells + 1);
    return Tensor.concat(0, List.of(trunk.classToken.reshape(1, width), x)).gather(source);
  }

  private Tensor finished(Tensor x) { return head.apply(trunk.classifier == null ? x : trunk.classifier.apply(x)); }

  /// Convolutions and positions; a group a block, the last one with the final norm; what follows pooling; OpenCLIP's
  /// head.
  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    var first = new ArrayList<>(List.of("trunk.patch_embed.**"));
    undecayed().forEach(first::add);
    r.add(first);
    for (int i = 0; i < trunk.blocks.size(); i++) r.add(new ArrayList<>(List.of("trunk.blocks." + i + ".**")));
    if (trunk.norm != null) r.getLast().add("trunk.norm.**");
    var last = new ArrayList<String>();
    if (trunk.poolNorm != null) last.add("trunk.fc_norm.**");
    if (trunk.classifier != null) last.add("trunk.head.**");
    if (!last.isEmpty()) r.add(last);
    if (!head.empty()) r.add(List.of("head.**"));
    return r;
  }

  @Override public List<String> undecayed() {
    var r = new ArrayList<String>();
    if (trunk.positions != null) r.add("trunk.pos_embed");
    if (trunk.classToken != null) r.add("trunk.cls_token");
    return r;
  }

  @Override public List<Positions> positions() {
    return trunk.positions == null ? List.of()
        : List.of(new Positions.Cells("trunk.pos_embed", 0, trunk.backbone.to(input())));
  }

  @Override public OnDisk layout(String path) {
    return path.matches("trunk\\.patch_embed\\..*(conv\\w*|expand|proj)\\.weight") ? OnDisk.CHANNELS_FIRST
        : OnDisk.SAME;
  }

  @Override public Hybrid fixed(int groups) { return new Hybrid(trunk, head, config, groups); }
}
