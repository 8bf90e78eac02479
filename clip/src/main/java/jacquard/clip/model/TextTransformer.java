package jacquard.clip.model;

import jacquard.autograd.Named;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.Transformer;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Ranges;
import java.util.Arrays;
import java.util.List;

/// OpenCLIP's text transformer. A causal tower runs only up to the token that it pools; nothing after it can reach the result.
public record TextTransformer(@Named("cls_emb") Tensor classEmbedding, @Named("positional_embedding") Tensor positions, Transformer transformer,
                              @Named("token_embedding") Embedding tokens, @Named("ln_final") LayerNorm norm, @Named("text_projection") Projection projection,
                              TextConfig config) {
  /// Token vectors `[vocabulary, width]`.
  public record Embedding(Tensor weight) {}

  /// To the embedding: a matrix `[width, embedding]`, or a linear layer with bias.
  public sealed interface Projection {
    record Matrix(@Named("") Tensor matrix) implements Projection {}
    record Layer(@Named("") Linear linear) implements Projection {}
  }

  static TextTransformer of(ClipConfig clip, Init.Maker make) {
    var c = clip.text();
    int w = c.width();
    return new TextTransformer(c.classToken() ? make.make(new Init.Normal(0.01), w) : null, make.make(new Init.Normal(0.01), c.context() + (c.classToken() ? 1 : 0), w),
        Towers.transformer(make, c.layers(), w, c.heads(), c.mlpRatio(), c.layerScale(), c.epsilon(), clip.activation(c.tanhGelu()), c.options(), Towers.Inits.text(w, c.layers())),
        new Embedding(make.make(new Init.Normal(0.02), c.vocabulary(), w)), LayerNorm.of(make, w, c.epsilon()),
        !c.projected() ? null : c.projectionBias() ? new Projection.Layer(Linear.of(make, w, clip.embedding(), new Init.Normal(1 / Math.sqrt(w)), Init.ZEROS))
            : new Projection.Matrix(make.make(new Init.Normal(1 / Math.sqrt(w)), w, clip.embedding())), c);
  }

  /// Features `[captions, embedding]`, not normalised, of padded token ids (see the tokeniser).
  public Tensor features(int[][] captions) {
    int count = captions.length;
    int[][] kept = new int[count][];                                              // positions that are rows, per caption
    int[] lengths = new int[count], pooled = new int[count];
    for (int b = 0, at = 0; b < count; b++) {
      int[] ids = captions[b];
      if (ids.length > config.context()) throw new IllegalArgumentException("caption " + b + " has " + ids.length + " tokens, expected at most " + config.context());
      kept[b] = rows(ids);
      lengths[b] = kept[b].length;
      int end = config.classToken() ? kept[b].length - 1 : pool(ids, b);
      pooled[b] = at + (config.classToken() || !config.causal() ? end : kept[b].length - 1);
      at += lengths[b];
    }
    int[] offsets = Sequences.ofLengths(lengths).offsets(), position = new int[offsets[count]], id = new int[position.length];
    for (int b = 0; b < count; b++)
      for (int i = 0; i < lengths[b]; i++) {
        int r = offsets[b] + i;
        position[r] = kept[b][i];
        id[r] = kept[b][i] < captions[b].length ? captions[b][kept[b][i]] : config.vocabulary();      // past the vocabulary: the class token
      }
    var sequences = new Sequences(offsets, position);
    var ranges = config.causal() ? Ranges.causal(sequences, sequences) : Ranges.full(sequences, sequences);
    if (config.classToken())
      for (int b = 0; b < count; b++) {
        int[] ids = captions[b];
        if (ids[ids.length - 1] == config.pad()) for (int r = offsets[b]; r < offsets[b + 1]; r++) ranges.to()[r] = Math.min(ranges.to()[r], offsets[b + 1] - 1);
      }
    var x = embedded(id).add(positions.gather(position));
    x = norm.apply(transformer.apply(x, sequences, ranges, pooled));
    return switch (projection) {
      case null -> x;
      case Projection.Matrix(var m) -> x.matmul(m);
      case Projection.Layer(var l) -> l.apply(x);
    };
  }

  /// The tower's parameters from input to output, as OpenCLIP groups them for locking: tokens and positions; a group a block, the last one with the final
  /// norm; the projection. Globs of paths within the tower.
  public List<List<String>> groups() {
    return Towers.groups(List.of("token_embedding.**", "positional_embedding", classEmbedding == null ? "" : "cls_emb"), transformer.blocks().size(), List.of("ln_final.**"),
        switch (projection) {
          case null -> List.of();
          case Projection.Matrix _ -> List.of("text_projection");
          case Projection.Layer _ -> List.of("text_projection.**");
        });
  }

  private Tensor embedded(int[] id) {
    if (classEmbedding == null) return tokens.weight.gather(id);
    int[] word = new int[id.length], special = new int[id.length];
    for (int i = 0; i < id.length; i++) {
      boolean cls = id[i] == config.vocabulary();
      word[i] = cls ? -1 : id[i];
      special[i] = cls ? 0 : -1;
    }
    return tokens.weight.gather(word).add(classEmbedding.reshape(1, config.width()).gather(special));
  }

  /// Which positions of a caption are rows. With a class token at the end (position L): OpenCLIP masks key j unless j = 0 or token j−1
  /// is no pad, for all queries; a masked row reaches nothing, so it is none.
  private int[] rows(int[] ids) {
    if (config.classToken()) {
      int[] r = new int[ids.length + 1];
      int n = 0;
      for (int j = 0; j < ids.length; j++) if (j == 0 || ids[j - 1] != config.pad()) r[n++] = j;
      r[n++] = ids.length;
      return Arrays.copyOf(r, n);
    }
    int n = config.causal() ? pool(ids, -1) + 1 : ids.length;
    int[] r = new int[n];
    for (int j = 0; j < n; j++) r[j] = j;
    return r;
  }

  /// The position that is pooled: the first largest id, the first end-of-text id, the last or the first token.
  private int pool(int[] ids, int caption) {
    switch (config.pool()) {
      case FIRST: return 0;
      case LAST: return ids.length - 1;
      case EOS:
        for (int i = 0; i < ids.length; i++) if (ids[i] == config.end()) return i;
        throw new IllegalArgumentException("caption " + caption + " has no end-of-text token " + config.end());
      case ARGMAX:
        int best = 0;
        for (int i = 1; i < ids.length; i++) if (ids[i] > ids[best]) best = i;
        return best;
      default: throw new IllegalStateException("pool " + config.pool());
    }
  }
}
