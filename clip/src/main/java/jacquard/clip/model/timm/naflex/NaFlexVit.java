package jacquard.clip.model.timm.naflex;

import jacquard.autograd.Named;
import jacquard.clip.image.PatchFrame;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.timm.Head;
import jacquard.clip.model.timm.LatentPool;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.timm.VitBlock;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.Patches;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.Pooling;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Grid;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// NaFlex (Beyer et al. 2023 and Dehghani et al. 2023, as timm builds it): pictures of any size and shape, a sequence
/// each; positions of a picture's grid are resampled from a learned table.
public record NaFlexVit(Trunk trunk, Head head, TimmConfig config, Architecture shape) implements ImageTower {
  /// timm's own model; the absent are null.
  record Trunk(Embeds embeds, @Named("norm_pre") LayerNorm normBefore, List<FlexBlock> blocks, LayerNorm norm,
      @Named("attn_pool") LatentPool latent,
      @Named("fc_norm") LayerNorm poolNorm) {}

  /// @param classToken `[1, 1, width]`, without a position
  /// @param registers `[1, registers, width]`
  /// @param positions `[1, rows, columns, width]`
  record Embeds(@Named("cls_token") Tensor classToken, @Named("reg_token") Tensor registers, Linear proj,
      @Named("pos_embed") Tensor positions) {}

  public static boolean known(TimmConfig config) { return Architecture.known(config); }

  public static Optional<String> refused(TimmConfig config) { return Architecture.refused(config); }

  public static NaFlexVit of(TimmConfig config, ClipConfig clip, Init.Maker make) {
    var a = Architecture.of(config);
    int w = a.width();
    if (w % a.heads() != 0)
      throw new IllegalArgumentException("timm_model_kwargs: " + a.heads() + " heads do not divide a width of " + w);
    if (config.timm().proj().orElse("").equals("none") && w != clip.embedding())
      throw new IllegalArgumentException("timm_proj is none: the width " + w + " of " + config.name()
          + " must equal embed_dim " + clip.embedding());
    var embeds = new Embeds(a.classToken() ? make.make(new Init.Normal(1e-6), 1, 1, w) : null, a.registers() == 0 ? null
        : make.make(new Init.Normal(0.02), 1, a.registers(), w),
        VitBlock.linear(make, a.patch() * a.patch() * 3, w, !a.classToken()),
        make.make(new Init.Normal(0.02), 1, a.grid().height(), a.grid().width(), w));
    var blocks = new ArrayList<FlexBlock>();
    for (var drop : Drop.rising(config.dropPath(0), a.depth(), "blocks")) blocks.add(FlexBlock.of(make, a, drop));
    var norm = LayerNorm.of(make, w, a.epsilon());
    var latent = a.latent() ? LatentPool.of(make, w, a.heads(), (int) (w * a.poolRatio()), a.epsilon(),
        a.activation()) : null;
    boolean first = a.latent() || a.classToken();
    var trunk = new Trunk(embeds, a.classToken() ? LayerNorm.of(make, w, a.epsilon()) : null, List.copyOf(blocks),
        first ? norm : null, latent, first ? null : norm);
    return new NaFlexVit(trunk, Head.of(config, make, w, clip.embedding()), config, a);
  }

  @Override public Grid input() { return config.input(); }

  /// Room for `image_seq_len` patches; where that is not said, for those of an image of `image_size`.
  @Override public Optional<PatchFrame> frame() {
    int side = shape.patch();
    return Optional.of(new PatchFrame(side,
        config.imageSeqLen().orElse(Math.max(1, input().height() / side * (input().width() / side)))));
  }

  @Override public Tensor features(ImageBatch images) { return features(Patches.of(images, shape.patch())); }

  @Override public Encoding tokens(ImageBatch images) { return tokens(Patches.of(images, shape.patch())); }

  /// The tokens are the patches after the last norm, where that comes before pooling.
  @Override public Encoding tokens(Patches patches) {
    int prefix = shape.prefix();
    var sequences = Sequences.ofLengths(patches.grids().stream().mapToInt(g -> g.size() + prefix).toArray());
    var x = embedded(patches, sequences);
    for (var block : trunk.blocks) x = Transformer.once(x, t -> block.apply(t, sequences));
    if (trunk.norm != null) x = trunk.norm.apply(x);
    var rows = Encoding.without(prefix, null, x, sequences);
    var one = shape.classToken() ? x.gather(Pooling.first(sequences))
        : trunk.latent != null ? trunk.latent.apply(rows.tokens(), rows.sequences())
        : trunk.poolNorm.apply(Pooling.mean(rows.tokens(), rows.sequences(), 0));
    return new Encoding(head.apply(one), rows.tokens(), rows.sequences());
  }

  /// Class token and registers, then patches at their positions. `[rows, width]`
  private Tensor embedded(Patches patches, Sequences sequences) {
    int prefix = shape.prefix(), w = shape.width();
    var e = trunk.embeds;
    var proj = new Linear.Dense(PatchSizes.resampled(e.proj.weight(), shape.patch(), patches.side()), e.proj.bias());
    var x = proj.apply(patches.rows()).add(positions(patches.grids()));
    if (prefix > 0) {
      int[] owners = sequences.owners(), rows = IntStream.range(0, sequences.rows()).map(r -> {
        int at = sequences.positions()[r];
        // behind these stand the patches of all
        return at < prefix ? at : r - owners[r] * prefix;
      }).toArray();
      var parts = new ArrayList<Tensor>();
      if (e.classToken != null) parts.add(e.classToken.reshape(1, w));
      if (e.registers != null) parts.add(e.registers.reshape(shape.registers(), w));
      parts.add(x);
      x = Tensor.concat(0, parts).gather(rows);
    }
    return trunk.normBefore == null ? x : trunk.normBefore.apply(x);
  }

  /// The positions of all pictures' patches: each grid's are made once. `[patches, width]`
  private Tensor positions(List<Grid> grids) {
    var distinct = new ArrayList<>(new LinkedHashSet<>(grids));
    int cells = shape.grid().size(), rows = distinct.stream().mapToInt(Grid::size).sum();
    float[] weights = new float[rows * cells];
    int[] begins = new int[distinct.size() + 1];
    for (int i = 0; i < distinct.size(); i++) begins[i + 1] = begins[i] + weigh(distinct.get(i), weights, begins[i]);
    int[] index = grids.stream()
        .flatMapToInt(g -> IntStream.range(0, g.size()).map(c -> begins[distinct.indexOf(g)] + c)).toArray();
    return Tensor.of(Shape.of(rows, cells), weights).matmul(trunk.embeds.positions.reshape(cells, shape.width()))
        .gather(index);
  }

  private int weigh(Grid g, float[] into, int from) {
    Grid table = shape.grid();
    double[][] down = shape.resampling().weights(table.height(), g.height()), across =
        shape.resampling().weights(table.width(), g.width());
    int at = from * table.size();
    for (int y = 0; y < g.height(); y++)
      for (int x = 0; x < g.width(); x++)
        for (int j = 0; j < table.height(); j++)
          for (int i = 0; i < table.width(); i++) into[at++] = (float) (down[y][j] * across[x][i]);
    return g.size();
  }

  /// Patches, registers and positions; a group a block, the last one with the final norm; what pools; OpenCLIP's head.
  @Override public List<List<String>> groups() {
    var r = new ArrayList<List<String>>();
    r.add(trunk.normBefore == null ? List.of("trunk.embeds.**") : List.of("trunk.embeds.**", "trunk.norm_pre.**"));
    for (int i = 0; i < trunk.blocks.size(); i++)
      r.add(i == trunk.blocks.size() - 1 && trunk.norm != null ? List.of("trunk.blocks." + i + ".**", "trunk.norm.**")
          : List.of("trunk.blocks." + i + ".**"));
    if (trunk.latent != null) r.add(List.of("trunk.attn_pool.**"));
    if (trunk.poolNorm != null) r.add(List.of("trunk.fc_norm.**"));
    if (head.linear() != null || head.mlp() != null) r.add(List.of("head.**"));
    return r;
  }

  @Override public List<String> undecayed() {
    return trunk.embeds.registers == null ? List.of("trunk.embeds.pos_embed")
        : List.of("trunk.embeds.pos_embed", "trunk.embeds.reg_token");
  }
}
