package jacquard.clip.model.timm.vit;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.timm.Head;
import jacquard.clip.model.timm.LatentPool;
import jacquard.clip.model.timm.PatchEmbed;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.timm.VitBlock;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.model.tower.Positions;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.PatchDropout;
import jacquard.clip.nn.Pooling;
import jacquard.clip.nn.Transformer;
import jacquard.tensor.Grid;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Ranges;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// timm's vision transformer: SigLIP's towers, those without a class token that are averaged, and CLIP's under timm's names. Stochastic depth
/// and dropout (`timm_drop_path`, `timm_drop`) are left out.
public record TimmVit(Trunk trunk, Head head, TimmConfig config, Architecture shape) implements ImageTower {
  /// timm's own model; the absent are null. Class token `[1, 1, width]`, positions `[1, rows, width]`.
  record Trunk(@Named("cls_token") Tensor classToken, @Named("pos_embed") Tensor positions, @Named("patch_embed") PatchEmbed patches,
      @Named("norm_pre") LayerNorm normPre, List<VitBlock> blocks, LayerNorm norm, @Named("attn_pool") LatentPool latent,
      @Named("fc_norm") LayerNorm poolNorm, @Named("head") Linear classifier) {}

  public static boolean known(TimmConfig config) { return Architecture.known(config.name()); }

  public static Optional<String> refused(TimmConfig config) { return Architecture.refused(config); }

  public static TimmVit of(TimmConfig config, ClipConfig clip, Init.Maker make) {
    var a = Architecture.of(config);
    int w = a.width(), embedding = clip.embedding();
    var proj = config.timm().proj().orElse("");
    if (w % a.heads() != 0) throw new IllegalArgumentException("timm_model_kwargs: " + a.heads() + " heads do not divide a width of " + w);
    if (proj.equals("none") && w != embedding)
      throw new IllegalArgumentException("timm_proj is none: the width " + w + " of " + config.name() + " must equal embed_dim " + embedding);
    var positions = make.make(new Init.Normal(0.02), 1, a.grid().size() + a.prefix(), w);
    var classToken = a.classToken() ? make.make(new Init.Normal(1e-6), 1, 1, w) : null;
    var patches = PatchEmbed.of(make, w, a.patch(), !a.normPre());
    var normPre = a.normPre() ? LayerNorm.of(make, w, a.epsilon()) : null;
    var blocks = new ArrayList<VitBlock>();
    for (int i = 0; i < a.depth(); i++)
      blocks.add(VitBlock.of(make, w, a.heads(), a.hidden(), a.qkvBias(), a.layerScale(), a.epsilon(), a.activation()));
    var norm = LayerNorm.of(make, w, a.epsilon());
    var trunk = new Trunk(classToken, positions, patches, normPre, List.copyOf(blocks), a.poolNorm() ? null : norm,
        a.pool().equals("map") ? LatentPool.of(make, w, a.heads(), a.hidden(), a.epsilon(), a.activation()) : null,
        a.poolNorm() ? norm : null, proj.isEmpty() ? VitBlock.linear(make, w, embedding, true) : null);
    return new TimmVit(trunk, Head.of(config, make, w, embedding), config, a);
  }

  @Override public Grid input() { return config.input(); }

  @Override public Tensor features(ImageBatch images) {
    var sequences = kept(images);
    boolean token = shape.pool().equals("token");
    var x = blocks(images, sequences, token ? Pooling.first(sequences) : null);
    return finished(token ? x : pooled(x, sequences));
  }

  /// The tokens are the patches after the last norm, where that comes before pooling.
  @Override public Encoding tokens(ImageBatch images) {
    var sequences = kept(images);
    var x = blocks(images, sequences, null);
    return Encoding.without(shape.prefix(), finished(pooled(x, sequences)), x, sequences);
  }

  private Sequences kept(ImageBatch images) {
    return PatchDropout.kept(images.count(), shape.grid().size(), shape.prefix(), config.patchDropout());
  }

  /// From pixels through the blocks, and the norm where it comes next; all rows, or those asked for.
  private Tensor blocks(ImageBatch images, Sequences sequences, int[] rows) {
    if (!images.grid().equals(input())) throw new IllegalArgumentException("images of " + images.grid() + ", expected " + input());
    int patches = shape.grid().size(), w = shape.width(), prefix = shape.prefix();
    int[] source = sequences.positions().clone(), owners = sequences.owners();
    for (int r = 0; r < source.length; r++) if (source[r] >= prefix) source[r] += owners[r] * patches;   // the class token, then all patches
    var cells = trunk.patches.apply(images);
    var x = (prefix == 0 ? cells : Tensor.concat(0, List.of(trunk.classToken.reshape(1, w), cells))).gather(source)
        .add(trunk.positions.reshape(patches + prefix, w).gather(sequences.positions()));
    if (trunk.normPre != null) x = trunk.normPre.apply(x);
    var transformer = new Transformer(trunk.blocks.stream().map(VitBlock::block).toList());
    x = transformer.apply(x, sequences, Ranges.full(sequences, sequences), rows);
    return trunk.norm == null ? x : trunk.norm.apply(x);
  }

  private Tensor pooled(Tensor x, Sequences s) {
    int prefix = shape.prefix();
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

  /// The trunk's groups, and OpenCLIP's head with the last of them that is no block.
  @Override public List<List<String>> groups() {
    if (head.linear() == null && head.mlp() == null) return locks();
    var r = new ArrayList<>(locks());
    var last = new ArrayList<>(List.of("head.**"));
    if (r.size() > trunk.blocks.size() + 1) last.addAll(r.removeLast());
    r.add(last);
    return r;
  }

  /// Patches and positions; a group a block, the last one with the final norm; what pools and projects. OpenCLIP's head is never locked.
  @Override public List<List<String>> locks() {
    var r = new ArrayList<List<String>>();
    var stem = new ArrayList<>(List.of("trunk.pos_embed", "trunk.patch_embed.**"));
    if (trunk.classToken != null) stem.add("trunk.cls_token");
    if (trunk.normPre != null) stem.add("trunk.norm_pre.**");
    r.add(stem);
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
    return r;
  }

  @Override public List<String> undecayed() {
    return trunk.classToken == null ? List.of("trunk.pos_embed") : List.of("trunk.pos_embed", "trunk.cls_token");
  }

  @Override public List<Positions> positions() { return List.of(new Positions.Cells("trunk.pos_embed", shape.prefix(), shape.grid())); }

  @Override public OnDisk layout(String path) {
    return path.equals("trunk.patch_embed.proj.weight") ? OnDisk.CHANNELS_FIRST : OnDisk.SAME;
  }
}
