package jacquard.clip.model.vit;

import jacquard.autograd.Named;
import jacquard.clip.model.Blocks;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.Hidden;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.model.tower.Positions;
import jacquard.clip.model.tower.PromptRoom;
import jacquard.clip.nn.Conv2d;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.PatchDropout;
import jacquard.clip.nn.Pooling;
import jacquard.clip.nn.transformer.AttentionalPooler;
import jacquard.clip.nn.transformer.DeepPrompts;
import jacquard.clip.nn.transformer.Sight;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Grid;
import jacquard.tensor.Padding;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// OpenCLIP's vision transformer: patches by convolution, a class token first, positions, blocks, pooling, projection.
public record VisionTransformer(@Named("class_embedding") Tensor classEmbedding,
    @Named("positional_embedding") Tensor positionTable, Tensor proj, Conv2d conv1,
                                @Named("ln_pre") LayerNorm normPre, Transformer transformer,
                                    @Named("attn_pool") AttentionalPooler pooler,
                                @Named("ln_post") LayerNorm normPost, Tensor prompt, Hidden hidden, VitConfig config)
                                    implements ImageTower {

  public static VisionTransformer of(VitConfig c, ClipConfig clip, Init.Maker make) {
    int w = c.width(), out = c.attentionalPool() ? clip.embedding() : w;
    var root = new Init.Normal(1 / Math.sqrt(w));
    AttentionalPooler pooler = null;
    if (c.attentionalPool()) {
      int e = clip.embedding();
      pooler = new AttentionalPooler(make.make(new Init.Normal(1), c.poolerQueries(), e),
          AttentionalPooler.Cross.of(make, e, w, c.poolerHeads()),
          LayerNorm.of(make, e, c.epsilon()), LayerNorm.of(make, w, c.epsilon()));
    }
    return new VisionTransformer(make.make(root, w), make.make(c.sinCos() ? new Init.Given(() -> sinCos(c.grid(), w))
        : root, c.grid().size() + 1, w), make.make(root, out, clip.embedding()),
        Conv2d.of(make, 3, w, c.patch(), c.patch(), Padding.NONE),
        c.noPreNorm() ? null : LayerNorm.of(make, w, c.epsilon()),
        Blocks.transformer(make, c.layers(), w, c.heads(), c.mlpRatio(), c.layerScale(), c.epsilon(),
            clip.activation(c.tanhGelu()), c.options(),
            Blocks.Inits.vision(w, (int) (w * c.mlpRatio()))),
        pooler, LayerNorm.of(make, out, c.epsilon()), null, null, c);
  }

  @Override public PromptRoom promptRoom() {
    if (pooler != null || config.pool() == VitConfig.Pool.AVERAGE)
      throw new IllegalArgumentException("an image tower that averages or attends to all of its rows takes no prompts");
    return new PromptRoom(config.width(), transformer.blocks().size(), null);
  }

  /// The prompt stands behind the patches and has no positions.
  @Override public VisionTransformer prompted(Tensor rows, DeepPrompts deep) {
    promptRoom();
    return new VisionTransformer(classEmbedding, positionTable, proj, conv1, normPre,
        new Transformer(transformer.blocks(), deep), null, normPost, rows, null, config);
  }

  @Override public VisionTransformer hiding(Hidden patches) {
    if (pooler != null) throw new IllegalArgumentException("an image tower whose tokens are no patches hides none");
    return new VisionTransformer(classEmbedding, positionTable, proj, conv1, normPre, transformer, null, normPost,
        prompt, patches, config);
  }

  @Override public Tensor denseFeatures(ImageBatch images) {
    if (pooler != null) return ImageTower.super.denseFeatures(images);
    var x = tokens(images).tokens();
    return (config.finalNormAfterPool() ? normPost.apply(x) : x).matmul(proj);
  }

  @Override public Grid input() { return config.input(); }

  @Override public Tensor features(ImageBatch images) {
    var kept = PatchDropout.kept(images.count(), config.grid().size(), 1, config.patchDropout());
    var sequences = withPrompts(kept);
    boolean token = pooler == null && config.pool() != VitConfig.Pool.AVERAGE;
    var x = transformer.apply(embedded(images, kept), Sight.full(sequences), token ? Pooling.first(sequences)
        : null);
    if (pooler != null) {
      int queries = config.pool() == VitConfig.Pool.AVERAGE ? config.poolerQueries() : 1;
      x = normPost.apply(pooler.apply(x, sequences, queries));
      return pooled(x, Sequences.equal(images.count(), queries)).matmul(proj);
    }
    if (token) return normPost.apply(x).matmul(proj);
    x = config.finalNormAfterPool() ? normPost.apply(Pooling.mean(x, sequences, 1))
        : Pooling.mean(normPost.apply(x), sequences, 1);
    return x.matmul(proj);
  }

  /// The tokens are the patches, or what the attentional pool's queries but the first found; after the last norm where
  /// that comes before pooling.
  @Override public Encoding tokens(ImageBatch images) {
    var kept = PatchDropout.kept(images.count(), config.grid().size(), 1, config.patchDropout());
    var sequences = withPrompts(kept);
    var x = transformer.apply(embedded(images, kept), Sight.full(sequences), null);
    if (pooler != null) {
      x = normPost.apply(pooler.apply(x, sequences, config.poolerQueries()));
      sequences = Sequences.equal(images.count(), config.poolerQueries());
    } else if (!config.finalNormAfterPool()) x = normPost.apply(x);
    var one = pooled(x, sequences);
    if (pooler == null && config.finalNormAfterPool()) one = normPost.apply(one);
    return Encoding.without(1, one.matmul(proj), x, sequences);
  }

  /// Patches by convolution, the class token before them, positions, first norm: `[rows, width]`.
  private Tensor embedded(ImageBatch images, Sequences sequences) {
    if (!images.grid().equals(config.input()))
      throw new IllegalArgumentException("images of " + images.grid() + ", expected " + config.input());
    int patches = config.grid().size();
    // row 0: the class token; then all patches
    int[] source = new int[sequences.rows()];
    int[] owners = sequences.owners();
    for (int r = 0; r < source.length; r++)
      source[r] = sequences.positions()[r] == 0 ? 0 : owners[r] * patches + sequences.positions()[r];
    var table = new ArrayList<>(List.of(classEmbedding.reshape(1, config.width()), images.through(conv1)));
    if (hidden != null) {
      hidden.over(source, 1);
      table.add(hidden.token().reshape(1, config.width()));
    }
    var x = Tensor.concat(0, table).gather(source).add(positionTable.gather(sequences.positions()));
    if (prompt != null) x = prompted(x, sequences);
    return normPre == null ? x : normPre.apply(x);
  }

  /// Each image's rows, then the prompt's.
  private Tensor prompted(Tensor x, Sequences s) {
    int m = prompt.dim(0), at = 0;
    int[] source = new int[s.rows() + s.count() * m];
    for (int i = 0; i < s.count(); i++) {
      for (int r = s.from(i); r < s.to(i); r++) source[at++] = r;
      for (int p = 0; p < m; p++) source[at++] = s.rows() + p;
    }
    return Tensor.concat(0, List.of(x, prompt)).gather(source);
  }

  private Sequences withPrompts(Sequences s) {
    if (prompt == null) return s;
    int m = prompt.dim(0), at = 0;
    int[] offsets = new int[s.count() + 1], positions = new int[s.rows() + s.count() * m];
    for (int i = 0; i < s.count(); i++) {
      for (int r = s.from(i); r < s.to(i); r++) positions[at++] = s.positions()[r];
      for (int p = 0; p < m; p++) positions[at++] = config.grid().size() + 1 + p;
      offsets[i + 1] = at;
    }
    return new Sequences(offsets, positions);
  }

  /// The first row of each sequence, or the mean of the others: `[count, width]`.
  private Tensor pooled(Tensor x, Sequences s) {
    if (config.pool() == VitConfig.Pool.AVERAGE) return Pooling.mean(x, s, 1);
    return s.rows() == s.count() ? x : x.gather(Pooling.first(s));
  }

  /// Patches, class token, positions and first norm; a group a block, the last one with the final norm; the attentional
  /// pool and the projection.
  @Override public List<List<String>> groups() {
    return Blocks.groups(List.of("conv1.**", "class_embedding", "positional_embedding", normPre == null ? ""
        : "ln_pre.**"), transformer.blocks().size(),
        List.of("ln_post.**"), pooler == null ? List.of("proj") : List.of("attn_pool.**", "proj"));
  }

  @Override public List<String> undecayed() { return List.of("class_embedding", "positional_embedding"); }

  @Override public List<String> buffers() { return config.sinCos() ? List.of("positional_embedding") : List.of(); }

  @Override public List<Positions> positions() {
    return List.of(new Positions.Cells("positional_embedding", 1, config.grid()));
  }

  @Override public List<String> patchKernels() { return List.of("conv1.weight"); }

  @Override public OnDisk layout(String path) {
    return path.equals("conv1.weight") ? OnDisk.CHANNELS_FIRST : OnDisk.SAME;
  }

  /// Fixed positions: row 0 zero, then [sin x·ω, cos x·ω, sin y·ω, cos y·ω], ωᵢ = 10000^(−i/(width/4)), x the column;
  /// as OpenCLIP.
  static float[] sinCos(Grid grid, int width) {
    int q = width / 4;
    float[] p = new float[(grid.size() + 1) * width];
    for (int r = 0; r < grid.size(); r++)
      for (int i = 0; i < q; i++) {
        double w = 1 / Math.pow(10000, i / (double) q), x = r % grid.width() * w, y = r / grid.width() * w;
        int at = (r + 1) * width + i;
        p[at] = (float) Math.sin(x);
        p[at + q] = (float) Math.cos(x);
        p[at + 2 * q] = (float) Math.sin(y);
        p[at + 3 * q] = (float) Math.cos(y);
      }
    return p;
  }
}
