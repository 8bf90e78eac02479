package jacquard.clip.model.timm.eva;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.timm.LatentPool;
import jacquard.clip.model.timm.Stem;
import jacquard.clip.model.timm.TimmConfig;
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
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Grid;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// timm's EVA and EVA-02 towers, and the perception encoders, which are built of the same blocks.
public record Eva(Trunk trunk, TimmConfig config, Architecture shape) implements ImageTower {
  /// timm's own model; the absent are null.
  record Trunk(@Named("") Stem stem, List<EvaBlock> blocks, LayerNorm norm, @Named("attn_pool") LatentPool latent,
      @Named("head") Linear classifier) {}

  private static final int POOL_HEADS = 8, POOL_RATIO = 4;

  public static boolean known(TimmConfig config) { return Architecture.known(config.name()); }

  public static Optional<String> refused(TimmConfig config) { return Architecture.refused(config); }

  public static Eva of(TimmConfig config, ClipConfig clip, Init.Maker make) {
    var a = Architecture.of(config);
    int w = a.width(), embedding = clip.embedding();
    float e = a.kind().epsilon;
    boolean bare = config.timm().proj().isPresent();
    if (bare && w != embedding)
      throw new IllegalArgumentException("timm_proj is none: the width " + w + " of " + config.name()
          + " must equal embed_dim " + embedding);
    var stem = Stem.of(make, w, a.patch(), config.input(), a.classToken(), a.normPre(), e, 0.02);
    var blocks = new ArrayList<EvaBlock>();
    var drops = Drop.rising(config.dropPath(0), a.depth(), "blocks");
    for (int i = 0; i < a.depth(); i++) blocks.add(EvaBlock.of(make, a, i, drops.get(i)));
    boolean map = a.kind() == Architecture.Kind.PERCEPTION;
    var trunk = new Trunk(stem, List.copyOf(blocks), LayerNorm.of(make, w, e),
        map ? LatentPool.of(make, w, POOL_HEADS, POOL_RATIO * w, e, Activation.GELU) : null,
        bare ? null : Linear.of(make, w, embedding, new Init.Normal(2e-5), Init.ZEROS));
    return new Eva(trunk, config, a);
  }

  @Override public Grid input() { return config.input(); }

  @Override public Tensor features(ImageBatch images) {
    var sequences = trunk.stem.rows(images.count(), config.patchDropout());
    if (trunk.latent != null) return classified(trunk.latent.apply(blocks(images, sequences, null), sequences));
    return classified(blocks(images, sequences, Pooling.first(sequences)));
  }

  /// The tokens are the patches after the last norm.
  @Override public Encoding tokens(ImageBatch images) {
    var sequences = trunk.stem.rows(images.count(), config.patchDropout());
    var x = blocks(images, sequences, null);
    var one = trunk.latent != null ? trunk.latent.apply(x, sequences) : x.gather(Pooling.first(sequences));
    return Encoding.without(trunk.stem.prefix(), classified(one), x, sequences);
  }

  @Override public Eva hiding(Hidden patches) {
    var t = trunk;
    return new Eva(new Trunk(t.stem.hiding(patches), t.blocks, t.norm, t.latent, t.classifier), config, shape);
  }

  @Override public Tensor denseFeatures(ImageBatch images) {
    return trunk.latent != null ? ImageTower.super.denseFeatures(images) : classified(tokens(images).tokens());
  }

  /// From pixels through blocks and norm; all rows, or those asked for.
  private Tensor blocks(ImageBatch images, Sequences sequences, int[] rows) {
    var x = trunk.stem.apply(images, sequences);
    var rotation = shape.rotation() == null ? null
        : shape.rotation().of(trunk.stem.grid(), sequences, trunk.stem.prefix(), shape.heads(), shape.width());
    for (int i = 0; i < trunk.blocks.size(); i++) {
      var block = trunk.blocks.get(i);
      int[] only = i == trunk.blocks.size() - 1 ? rows : null;
      x = Transformer.once(x, t -> block.apply(t, sequences, rotation, only));
    }
    return trunk.norm.apply(x);
  }

  private Tensor classified(Tensor x) { return trunk.classifier == null ? x : trunk.classifier.apply(x); }

  /// Patches and positions; a group a block, the last one with the final norm; what pools and projects.
  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(trunk.stem.group());
    for (int i = 0; i < trunk.blocks.size() - 1; i++) r.add(List.of("trunk.blocks." + i + ".**"));
    r.add(List.of("trunk.blocks." + (trunk.blocks.size() - 1) + ".**", "trunk.norm.**"));
    var last = new ArrayList<String>();
    if (trunk.latent != null) last.add("trunk.attn_pool.**");
    if (trunk.classifier != null) last.add("trunk.head.**");
    if (!last.isEmpty()) r.add(last);
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
