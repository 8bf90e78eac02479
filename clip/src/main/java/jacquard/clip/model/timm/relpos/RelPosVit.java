package jacquard.clip.model.timm.relpos;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.timm.Head;
import jacquard.clip.model.timm.Keywords;
import jacquard.clip.model.timm.PatchEmbed;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Pooling;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Grid;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// timm's ViT with a class token whose patches know only how far they lie apart: no table of positions, so images of
/// any size take the same weights. Dropout within the MLP of distances is left out.
public record RelPosVit(Trunk trunk, Head head, TimmConfig config, Grid grid) implements ImageTower {
  /// timm's own model. Class token `[1, 1, width]`.
  record Trunk(@Named("cls_token") Tensor classToken, @Named("patch_embed") PatchEmbed patches,
      List<RelPosBlock> blocks, LayerNorm norm) {}

  /// Width, blocks, heads, pixels of a patch's side, the width within the MLP of distances.
  private record Size(int width, int depth, int heads, int patch, int relative) {
    private static final List<String> KEYWORDS = List.of("img_size", "embed_dim", "depth", "num_heads", "patch_size");
    private static final Map<String, Size> ALL = Map.of("vit_relpos_medium_patch16_cls_224",
        new Size(512, 12, 8, 16, 256),
        "vit_relpos_base_patch16_cls_224", new Size(768, 12, 12, 16, 128));

    static Size of(TimmConfig c) {
      var s = ALL.get(c.name());
      var k = new Keywords(c);
      var r = new Size(k.whole("embed_dim", s.width), k.whole("depth", s.depth), k.whole("num_heads", s.heads),
          k.whole("patch_size", s.patch), s.relative);
      if (r.width % r.heads != 0)
        throw new IllegalArgumentException("timm_model_kwargs: " + r.heads + " heads do not divide a width of "
            + r.width);
      return r;
    }
  }

  private static final int PREFIX = 1, MLP_RATIO = 4;

  public static boolean known(TimmConfig config) { return Size.ALL.containsKey(config.name()); }

  /// Why the config's options cannot be had; empty if they can.
  public static Optional<String> refused(TimmConfig c) {
    var proj = c.timm().proj().orElse("");
    if (c.patchDropout() > 0) return Optional.of("patch_dropout of " + c.name());
    if (!proj.equals("linear") && !proj.equals("mlp")) return Optional.of("timm_proj \"" + proj + "\" of " + c.name());
    if (!c.timm().pool().isEmpty() && !c.timm().pool().equals("token"))
      return Optional.of("timm_pool \"" + c.timm().pool() + "\" of " + c.name());
    return Keywords.unknown(c, Size.KEYWORDS);
  }

  public static RelPosVit of(TimmConfig config, ClipConfig clip, Init.Maker make) {
    var size = Size.of(config);
    int w = size.width, patch = size.patch;
    var image = config.input();
    if (patch > image.height() || patch > image.width())
      throw new IllegalArgumentException("timm_model_kwargs: patches of " + patch + " pixels, more than the image of "
          + image + " has");
    var token = make.make(new Init.Normal(1e-6), 1, 1, w);
    var patches = PatchEmbed.of(make, w, patch, true);
    var blocks = new ArrayList<RelPosBlock>();
    for (var drop : Drop.rising(config.dropPath(0), size.depth, "blocks"))
      blocks.add(RelPosBlock.of(make, w, size.heads, MLP_RATIO * w, size.relative, drop));
    var trunk = new Trunk(token, patches, List.copyOf(blocks), LayerNorm.of(make, w, 1e-6f));
    return new RelPosVit(trunk, Head.of(config, make, w, clip.embedding()), config,
        new Grid(image.height() / patch, image.width() / patch));
  }

  @Override public Grid input() { return config.input(); }

  @Override public Tensor features(ImageBatch images) {
    var s = Sequences.equal(images.count(), PREFIX + grid.size());
    return head.apply(blocks(images, s, Pooling.first(s)));
  }

  /// The tokens are the patches after the last norm.
  @Override public Encoding tokens(ImageBatch images) {
    var s = Sequences.equal(images.count(), PREFIX + grid.size());
    var x = blocks(images, s, null);
    return Encoding.without(PREFIX, head.apply(x.gather(Pooling.first(s))), x, s);
  }

  /// From pixels through blocks and norm; all rows, or those asked for.
  private Tensor blocks(ImageBatch images, Sequences s, int[] rows) {
    if (!images.grid().equals(input()))
      throw new IllegalArgumentException("images of " + images.grid() + ", expected " + input());
    int[] source = s.positions().clone(), owners = s.owners();                   // the class token, then all patches
    for (int r = 0; r < source.length; r++) if (source[r] >= PREFIX) source[r] += owners[r] * grid.size();
    var x = Tensor.concat(0, List.of(trunk.classToken.reshape(1, trunk.classToken.dim(2)), trunk.patches.apply(images)))
        .gather(source);
    for (int i = 0; i < trunk.blocks.size(); i++) {
      var block = trunk.blocks.get(i);
      int[] only = i == trunk.blocks.size() - 1 ? rows : null;
      x = Transformer.once(x, t -> block.apply(t, s, grid, PREFIX, only));
    }
    return trunk.norm.apply(x);
  }

  /// Class token and patches; a group a block, the last one with the final norm; OpenCLIP's head.
  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(List.of("trunk.cls_token", "trunk.patch_embed.**"));
    for (int i = 0; i < trunk.blocks.size() - 1; i++) r.add(List.of("trunk.blocks." + i + ".**"));
    r.add(List.of("trunk.blocks." + (trunk.blocks.size() - 1) + ".**", "trunk.norm.**"));
    r.add(List.of("head.**"));
    return r;
  }

  @Override public List<String> undecayed() { return List.of("trunk.cls_token"); }

  @Override public OnDisk layout(String path) {
    return path.equals("trunk.patch_embed.proj.weight") ? OnDisk.CHANNELS_FIRST : OnDisk.SAME;
  }
}
