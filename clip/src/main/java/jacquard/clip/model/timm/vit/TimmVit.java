package jacquard.clip.model.timm.vit;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.timm.Head;
import jacquard.clip.model.timm.LatentPool;
import jacquard.clip.model.timm.Stem;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.timm.VitBlock;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.Hidden;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.model.tower.Positions;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.Pooling;
import jacquard.clip.nn.transformer.Sight;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Grid;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// timm's vision transformer: SigLIP's towers, those without a class token that are averaged, and CLIP's under timm's
/// names.
public record TimmVit(Trunk trunk, Head head, TimmConfig config, Architecture shape) implements ImageTower {
  /// timm's own model; the absent are null.
  record Trunk(@Named("") Stem stem, List<VitBlock> blocks, LayerNorm norm, @Named("attn_pool") LatentPool latent,
      @Named("fc_norm") LayerNorm poolNorm, @Named("head") Linear classifier) {}

  public static boolean known(TimmConfig config) { return Architecture.known(config.name()); }

  public static Optional<String> refused(TimmConfig config) { return Architecture.refused(config); }

  public static TimmVit of(TimmConfig config, ClipConfig clip, Init.Maker make) {
    var a = Architecture.of(config);
    int w = a.width(), embedding = clip.embedding();
    var proj = config.timm().proj().orElse("");
    if (w % a.heads() != 0)
      throw new IllegalArgumentException("timm_model_kwargs: " + a.heads() + " heads do not divide a width of " + w);
    if (proj.equals("none") && w != embedding)
      throw new IllegalArgumentException("timm_proj is none: the width " + w + " of " + config.name()
          + " must equal embed_dim " + embedding);
    var stem = Stem.of(make, w, a.patch(), a.image(), a.classToken(), a.normPre(), a.epsilon(), 1e-6);
    var blocks = new ArrayList<VitBlock>();
    var drops = Drop.rising(config.dropPath(0), a.depth(), "blocks");
    for (int i = 0; i < a.depth(); i++)
      blocks.add(VitBlock.of(make, w, a.heads(), a.hidden(), a.qkvBias(), a.layerScale(), a.epsilon(), a.activation(),
          drops.get(i)));
    var norm = LayerNorm.of(make, w, a.epsilon());
    var trunk = new Trunk(stem, List.copyOf(blocks), a.poolNorm() ? null : norm,
        a.pool().equals("map") ? LatentPool.of(make, w, a.heads(), a.hidden(), a.epsilon(), a.activation()) : null,
        a.poolNorm() ? norm : null, proj.isEmpty() ? VitBlock.linear(make, w, embedding, true) : null);
    return new TimmVit(trunk, Head.of(config, make, w, embedding), config, a);
  }

  @Override public Grid input() { return config.input(); }

  /// Attention heads of a block.
  public int heads() { return shape.heads(); }

  /// Between the layers of an MLP.
  public Activation activation() { return shape.activation(); }

  /// Channels between the layers of an MLP.
  public int hidden() { return shape.hidden(); }

  @Override public Tensor features(ImageBatch images) {
    var sequences = trunk.stem.rows(images.count(), config.patchDropout());
    boolean token = shape.pool().equals("token");
    var x = blocks(images, sequences, token ? Pooling.first(sequences) : null);
    return finished(token ? x : pooled(x, sequences));
  }

  /// The tokens are the patches after the last norm, where that comes before pooling.
  @Override public Encoding tokens(ImageBatch images) {
    var sequences = trunk.stem.rows(images.count(), config.patchDropout());
    var x = blocks(images, sequences, null);
    return Encoding.without(trunk.stem.prefix(), finished(pooled(x, sequences)), x, sequences);
  }

  @Override public TimmVit hiding(Hidden patches) {
    var t = trunk;
    return new TimmVit(new Trunk(t.stem.hiding(patches), t.blocks, t.norm, t.latent, t.poolNorm, t.classifier), head,
        config, shape);
  }

  @Override public Tensor denseFeatures(ImageBatch images) {
    return trunk.latent != null ? ImageTower.super.denseFeatures(images) : finished(tokens(images).tokens());
  }

  /// From pixels through the blocks, and the norm where it comes next; all rows, or those asked for.
  private Tensor blocks(ImageBatch images, Sequences sequences, int[] rows) {
    var transformer = new Transformer(trunk.blocks.stream().map(VitBlock::block).toList());
    var x = transformer.apply(trunk.stem.apply(images, sequences), Sight.full(sequences), rows);
    return trunk.norm == null ? x : trunk.norm.apply(x);
  }

  private Tensor pooled(Tensor x, Sequences s) {
    int prefix = trunk.stem.prefix();
    return switch (shape.pool()) {
      case "map" -> trunk.latent.apply(x, s);
      case "avg" -> Pooling.mean(x, s, prefix);
      case "max" -> Pooling.max(x, s, prefix);
      case "avgmax" -> Pooling.mean(x, s, prefix).add(Pooling.max(x, s, prefix)).mul(0.5f);
      default -> x.gather(Pooling.first(s));
    };
  }

  private Tensor finished(Tensor x) {
    if (trunk.poolNorm != null) x = trunk.poolNorm.apply(x);
    return head.apply(trunk.classifier == null ? x : trunk.classifier.apply(x));
  }

  /// Patches and positions; a group a block, the last one with the final norm; what pools and classifies; OpenCLIP's
  /// head.
  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(trunk.stem.group());
    for (int i = 0; i < trunk.blocks.size(); i++) {
      var block = new ArrayList<>(List.of("trunk.blocks." + i + ".**"));
      if (i == trunk.blocks.size() - 1 && trunk.norm != null) block.add("trunk.norm.**");
      r.add(block);
    }
    var last = new ArrayList<String>();
    if (trunk.latent != null) last.add("trunk.attn_pool.**");
    if (trunk.poolNorm != null) last.add("trunk.fc_norm.**");
    if (trunk.classifier != null) last.add("trunk.head.**");
    if (!last.isEmpty()) r.add(last);
    if (!head.empty()) r.add(List.of("head.**"));
    return r;
  }

  @Override public List<String> undecayed() { return trunk.stem.undecayed(); }

  @Override public List<Positions> positions() {
    return List.of(new Positions.Cells("trunk.pos_embed", trunk.stem.prefix(), trunk.stem.grid()));
  }

  @Override public List<String> patchKernels() { return List.of("trunk.patch_embed.proj.weight"); }

  @Override public OnDisk layout(String path) {
    return path.equals("trunk.patch_embed.proj.weight") ? OnDisk.CHANNELS_FIRST : OnDisk.SAME;
  }
}
