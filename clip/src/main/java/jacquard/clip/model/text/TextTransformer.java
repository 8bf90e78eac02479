package jacquard.clip.model.text;

import jacquard.autograd.Named;
import jacquard.clip.model.Blocks;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.Positions;
import jacquard.clip.model.tower.PromptRoom;
import jacquard.clip.model.tower.TextInput;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.transformer.Cache;
import jacquard.clip.nn.transformer.DeepPrompts;
import jacquard.clip.nn.transformer.Sight;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Pass;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Ranges;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// OpenCLIP's text transformer. A causal tower runs only up to the token that it pools; nothing after it can reach the
/// result. What captions begin with alike it may compute once.
public record TextTransformer(@Named("cls_emb") Tensor classEmbedding,
    @Named("positional_embedding") Tensor positionTable, Transformer transformer,
                              @Named("token_embedding") Embedding embedding, @Named("ln_final") LayerNorm norm,
                                  @Named("text_projection") Projection projection,
                              ClipTextConfig config) implements TextTower {
  /// The least share of rows that captions have in common for them to be computed once.
  private static final double SPARED = 1 / 8.0;

  /// Token vectors `[vocabulary, width]`; and vectors of a prompt's own, which tokens below zero stand for: −1 for the
  /// first.
  ///
  /// @param context `[vectors, width]`, or null
  public record Embedding(Tensor weight, Tensor context) {
    Tensor rows(int[] ids) {
      if (context == null) return weight.gather(ids);
      int[] words = new int[ids.length], own = new int[ids.length];
      for (int i = 0; i < ids.length; i++) {
        words[i] = Math.max(ids[i], -1);
        own[i] = ids[i] < 0 ? -1 - ids[i] : -1;
      }
      return weight.gather(words).add(context.gather(own));
    }
  }

  @Override public PromptRoom promptRoom() {
    if (classEmbedding != null) throw new IllegalArgumentException("a text tower with a class token takes no prompts");
    return new PromptRoom(config.width(), transformer.blocks().size(), embedding.weight);
  }

  @Override public TextTransformer prompted(Tensor context, DeepPrompts deep) {
    promptRoom();
    return new TextTransformer(null, positionTable, new Transformer(transformer.blocks(), deep),
        new Embedding(embedding.weight, context), norm, projection, config);
  }

  /// To the embedding: a matrix `[width, embedding]`, or a linear layer with bias.
  public sealed interface Projection {
    record Matrix(@Named("") Tensor matrix) implements Projection {}
    record Layer(@Named("") Linear linear) implements Projection {}
  }

  public static TextTransformer of(ClipTextConfig c, ClipConfig clip, Init.Maker make) {
    int w = c.width();
    return new TextTransformer(c.classToken() ? make.make(new Init.Normal(0.01), w) : null,
        make.make(new Init.Normal(0.01), c.context() + (c.classToken() ? 1 : 0), w),
        Blocks.transformer(make, c.layers(), w, c.heads(), c.mlpRatio(), c.layerScale(), c.epsilon(),
            clip.activation(c.tanhGelu()), c.options(), Blocks.Inits.text(w, c.layers())),
        new Embedding(make.make(new Init.Normal(0.02), c.vocabulary(), w), null), LayerNorm.of(make, w, c.epsilon()),
        !c.projected() ? null : c.projectionBias() ? new Projection.Layer(Linear.of(make, w, clip.embedding(),
            new Init.Normal(1 / Math.sqrt(w)), Init.ZEROS))
            : new Projection.Matrix(make.make(new Init.Normal(1 / Math.sqrt(w)), w, clip.embedding())), c);
  }

  @Override public TextInput input() { return config.input(); }

  @Override public Tensor features(int[][] captions) {
    var rows = rows(captions, false);
    var x = projected(norm.apply(transformer.apply(embedded(rows), rows.sight, rows.pooled)));
    return rows.each == null ? x : x.gather(rows.each);
  }

  /// The tokens come after the last norm; with a class token, which stays out, before it. What is masked out for all is
  /// no row.
  @Override public Encoding tokens(int[][] captions) {
    var rows = rows(captions, true);
    var x = transformer.apply(embedded(rows), rows.sight, null);
    var sequences = rows.sight.rows();
    if (!config.classToken()) {
      x = norm.apply(x);
      return new Encoding(projected(x.gather(rows.pooled)), x, sequences);
    }
    int[] words = IntStream.range(0, sequences.rows()).filter(r -> rows.ids[r] != config.vocabulary()).toArray();
    return Encoding.of(projected(norm.apply(x.gather(rows.pooled))), x, sequences, words);
  }

  @Override public int readable() { return config.causal() ? transformer.blocks().size() : 0; }

  @Override public Tensor next(int[] ids, int place, boolean[] seen, List<Cache> caches) {
    var x = transformer.apply(words(ids).add(positionTable.slice(0, place, place + 1)), caches, seen);
    return config.classToken() ? x : norm.apply(x);
  }

  /// What [#unmasked] says of all places.
  @Override public boolean[] seen(int[] before, int captions) {
    if (!config.classToken() || before == null) return null;
    boolean[] r = new boolean[captions];
    for (int i = 0; i < captions; i++) r[i] = before[i] != config.pad();
    return r;
  }

  private Tensor projected(Tensor x) {
    return switch (projection) {
      case null -> x;
      case Projection.Matrix(var m) -> x.matmul(m);
      case Projection.Layer(var l) -> l.apply(x);
    };
  }

  /// What of a batch of captions is rows.
  ///
  /// @param ids a row's token; past the vocabulary: the class token
  /// @param pooled the rows that become features, ascending
  /// @param each   which of those is each caption's; null: they are the captions'
  private record Rows(Sight sight, int[] ids, int[] pooled, int[] each) {
    /// Of captions of which some may end in the same row.
    static Rows of(TokenTree tree) {
      int[] ends = tree.ends(), pooled = IntStream.of(ends).sorted().distinct().toArray();
      return new Rows(tree.sight(), tree.ids(), pooled, Arrays.equals(ends, pooled) ? null
          : IntStream.of(ends).map(e -> Arrays.binarySearch(pooled, e)).toArray());
    }
  }

  /// Whether what captions begin with alike may be computed once. Where the tower itself is trained captions stay
  /// apart: an adapter's dropout draws anew for each.
  private boolean shares(boolean all) {
    return config.causal() && !all && classEmbedding == null
        && (embedding.context != null || !Pass.current().training());
  }

  /// @param all whether a causal tower's rows behind the pooled one are wanted
  private Rows rows(int[][] captions, boolean all) {
    int count = captions.length;
    // positions that are rows, per caption
    int[][] kept = new int[count][];
    int[] lengths = new int[count], pooled = new int[count];
    for (int b = 0, at = 0; b < count; b++) {
      int[] ids = captions[b];
      if (ids.length > config.context())
        throw new IllegalArgumentException("caption " + b + " has " + ids.length + " tokens, expected at most "
            + config.context());
      int end = config.classToken() ? ids.length : pool(ids, b);
      kept[b] = config.classToken() ? unmasked(ids) : IntStream.range(0, config.causal() && !all ? end + 1 : ids.length)
          .toArray();
      lengths[b] = kept[b].length;
      pooled[b] = at + (config.classToken() ? lengths[b] - 1 : end);
      at += lengths[b];
    }
    if (shares(all)) {
      var tree = TokenTree.of(captions, lengths);
      // fewer would not pay for looking the keys up
      if (tree.ids().length <= IntStream.of(lengths).sum() * (1 - SPARED)) return Rows.of(tree);
    }
    int[] offsets = Sequences.ofLengths(lengths).offsets(), position = new int[offsets[count]],
        id = new int[position.length];
    for (int b = 0; b < count; b++)
      for (int i = 0; i < lengths[b]; i++) {
        int r = offsets[b] + i;
        position[r] = kept[b][i];
        id[r] = kept[b][i] < captions[b].length ? captions[b][kept[b][i]] : config.vocabulary();
      }
    var sequences = new Sequences(offsets, position);
    var ranges = config.causal() ? Ranges.causal(sequences, sequences) : Ranges.full(sequences, sequences);
    if (config.classToken())
      for (int b = 0; b < count; b++) {
        int[] ids = captions[b];
        if (ids[ids.length - 1] == config.pad())
          for (int r = offsets[b]; r < offsets[b + 1]; r++)
            ranges.to()[r] = Math.min(ranges.to()[r], offsets[b + 1] - 1);
      }
    return new Rows(new Sight(sequences, ranges), id, pooled, null);
  }

  /// Tokens and positions; a group a block, the last one with the final norm; the projection.
  @Override public List<List<String>> groups() {
    return Blocks.groups(List.of("token_embedding.**", "positional_embedding", classEmbedding == null ? ""
        : "cls_emb"), transformer.blocks().size(), List.of("ln_final.**"),
        switch (projection) {
          case null -> List.of();
          case Projection.Matrix _ -> List.of("text_projection");
          case Projection.Layer _ -> List.of("text_projection.**");
        });
  }

  @Override public List<String> undecayed() { return List.of("positional_embedding"); }

  /// With a class token OpenCLIP cannot resize them.
  @Override public List<Positions> positions() {
    return classEmbedding == null ? List.of(new Positions.Places("positional_embedding")) : List.of();
  }

  private Tensor embedded(Rows rows) {
    return words(rows.ids).add(positionTable.gather(rows.sight.rows().positions()));
  }

  private Tensor words(int[] id) {
    if (classEmbedding == null) return embedding.rows(id);
    int[] word = new int[id.length], special = new int[id.length];
    for (int i = 0; i < id.length; i++) {
      boolean cls = id[i] == config.vocabulary();
      word[i] = cls ? -1 : id[i];
      special[i] = cls ? 0 : -1;
    }
    return embedding.weight.gather(word).add(classEmbedding.reshape(1, config.width()).gather(special));
  }

  /// Which positions of a caption are rows where a class token follows it (position L): OpenCLIP masks key j unless j =
  /// 0 or token j−1 is no pad, for all queries; a masked row reaches nothing, so it is none.
  private int[] unmasked(int[] ids) {
    return IntStream.rangeClosed(0, ids.length).filter(j -> j == 0 || j == ids.length || ids[j - 1] != config.pad())
        .toArray();
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
