package jacquard.clip.model.modern;

import jacquard.autograd.Named;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.model.tower.TextInput;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.Pooling;
import jacquard.clip.nn.transformer.Rotation;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Ranges;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// OpenCLIP's modern text transformer: rotary positions, gated attention, captions of any length. Pads, which nothing
/// attends to, are no rows; a causal tower runs only up to the last token that is pooled. The absent are null.
///
/// @param registers learned rows before a caption, `[1, registers, width]`
public record ModernTextTransformer(@Named("reg_tokens") Tensor registers, @Named("token_embedding") Table embedding,
    @Named("norm_pre") Norm normPre,
    List<ModernBlock> blocks, @Named("ln_final") Norm norm, @Named("pool") QueryPool pooler,
        @Named("text_projection") Linear projection,
    ModernTextConfig config) implements TextTower {
  /// Token vectors `[vocabulary, width]`.
  record Table(Tensor weight) {}

  public static ModernTextTransformer of(ModernTextConfig c, ClipConfig clip, Init.Maker make) {
    int w = c.width(), registers = c.registers();
    var blocks = new ArrayList<ModernBlock>();
    for (int i = 0; i < c.layers(); i++) blocks.add(ModernBlock.of(make, c, i));
    return new ModernTextTransformer(registers == 0 ? null : make.make(new Init.Normal(1e-6), 1, registers, w),
        new Table(make.make(new Init.Normal(0.02), c.vocabulary(), w)), c.preNorm() ? Norm.of(make, w, c) : null,
            List.copyOf(blocks), Norm.of(make, w, c),
        c.pool() == ModernTextConfig.Pool.MAP ? QueryPool.of(make, c) : null,
        c.projection() == ModernTextConfig.Projection.NONE ? null
            : ModernBlock.linear(make, w, clip.embedding(), new Init.Normal(1 / Math.sqrt(w)), c.projectionBias(),
                Init.ZEROS), c);
  }

  @Override public TextInput input() { return config.input(); }

  @Override public Tensor features(int[][] captions) {
    var rows = rows(captions);
    boolean one = config.poolsOne();
    var x = encoded(rows, one ? rows.pooled : null);
    return projected(one ? x : pooled(x, rows));
  }

  /// The tokens come after the last norm, without registers.
  @Override public Encoding tokens(int[][] captions) {
    var rows = rows(captions);
    var x = encoded(rows, null);
    return Encoding.without(config.registers(), projected(config.poolsOne() ? x.gather(rows.pooled) : pooled(x, rows)),
        x, rows.sequences);
  }

  /// What of a batch of captions is rows.
  ///
  /// @param ids a row's token; below 0: register −1 − id
  /// @param words the rows that are no registers and no pads, sequence by sequence
  /// @param pooled each caption's row that a tower takes that pools one
  private record Rows(Sequences sequences, int[] ids, Sequences worded, int[] words, int[] pooled) {}

  private Rows rows(int[][] captions) {
    int registers = config.registers(), count = captions.length;
    int[][] kept = new int[count][];
    int[] ends = new int[count];
    for (int b = 0; b < count; b++) {
      int[] ids = captions[b];
      if (ids.length == 0 || ids.length > config.context())
        throw new IllegalArgumentException("caption " + b + " has " + ids.length + " tokens, expected 1 to "
            + config.context());
      int[] valid = valid(ids);
      ends[b] = config.poolsOne() ? end(ids, valid) : valid[valid.length - 1];
      kept[b] = config.causal() ? IntStream.rangeClosed(0, ends[b]).toArray() : valid;
    }
    int[] offsets = Sequences.ofLengths(Arrays.stream(kept).mapToInt(k -> k.length + registers).toArray()).offsets();
    int[] position = new int[offsets[count]], id = new int[position.length], pooled = new int[count],
        lengths = new int[count];
    var words = IntStream.builder();
    Arrays.fill(pooled, -1);
    for (int b = 0; b < count; b++)
      for (int i = 0, r = offsets[b]; r < offsets[b + 1]; i++, r++) {
        int at = i - registers;
        position[r] = at < 0 ? i : kept[b][at] + registers;
        id[r] = at < 0 ? -1 - i : captions[b][kept[b][at]];
        if (at < 0) continue;
        if (kept[b][at] == ends[b]) pooled[b] = r;
        if (id[r] == config.pad() && kept[b].length > 1) continue;
        words.add(r);
        lengths[b]++;
      }
    for (int b = 0; b < count; b++)
      if (pooled[b] < 0)
        throw new IllegalArgumentException("caption " + b + " has padding (id " + config.pad()
            + ") between its tokens and no end of text");
    return new Rows(new Sequences(offsets, position), id, Sequences.ofLengths(lengths), words.build().toArray(),
        pooled);
  }

  /// The places that are no pads; the first of a caption that has no other.
  private int[] valid(int[] ids) {
    int[] r = IntStream.range(0, ids.length).filter(i -> ids[i] != config.pad()).toArray();
    return r.length == 0 ? new int[1] : r;
  }

  /// The first end of text; without one as many tokens on as there are no pads.
  private int end(int[] ids, int[] valid) {
    for (int i = 0; i < ids.length; i++) if (ids[i] == config.eosId().orElseThrow()) return i;
    return valid.length - 1;
  }

  private Tensor encoded(Rows rows, int[] wanted) {
    var s = rows.sequences;
    var ranges = config.causal() ? Ranges.causal(s, s) : Ranges.full(s, s);
    int pairs = config.width() / config.heads() / 2;
    var rotation = config.rotated() ? Rotation.of(s.rows(), config.heads(), pairs,
        (r, p) -> s.positions()[r] * Math.pow(config.temperature(), -p / (double) pairs)) : null;
    var x = embedded(rows.ids);
    Tensor first = null;
    for (int i = 0; i < blocks.size(); i++) {
      var block = blocks.get(i);
      int[] only = i == blocks.size() - 1 ? wanted : null;
      if (!config.valueResidual())
        x = Transformer.once(x, t -> block.apply(t, null, s, ranges, rotation, only).getFirst());
      else if (first == null) {
        var made = Transformer.once(List.of(x), t -> block.apply(t.getFirst(), null, s, ranges, rotation, only));
        x = made.get(0);
        first = made.get(1);
      } else x = Transformer.once(List.of(x, first), t -> List.of(block.apply(t.get(0), t.get(1), s, ranges, rotation,
          only).getFirst())).getFirst();
    }
    return norm.apply(x);
  }

  private Tensor embedded(int[] ids) {
    var x = embedding.weight.gather(Arrays.stream(ids).map(i -> Math.max(i, -1)).toArray());
    if (registers != null)
      x = x.add(registers.reshape(config.registers(), config.width())
          .gather(Arrays.stream(ids).map(i -> i < 0 ? -1 - i : -1).toArray()));
    return normPre == null ? x : normPre.apply(x);
  }

  private Tensor pooled(Tensor x, Rows rows) {
    var words = x.gather(rows.words);
    return pooler != null ? pooler.apply(words, rows.worded) : Pooling.mean(words, rows.worded, 0);
  }

  private Tensor projected(Tensor x) { return projection == null ? x : projection.apply(x); }

  /// Tokens and registers; a group a block, the last one with the final norm; what pools and projects.
  @Override public List<List<String>> groups() { return groups(false); }

  /// The pooler belongs to the last block.
  @Override public List<List<String>> poolerApart() { return groups(true); }

  private List<List<String>> groups(boolean poolerApart) {
    var r = new ArrayList<List<String>>();
    var before = new ArrayList<>(List.of("token_embedding.**"));
    if (registers != null) before.add("reg_tokens");
    if (normPre != null) before.add("norm_pre.**");
    r.add(before);
    for (int i = 0; i < blocks.size() - 1; i++) r.add(List.of("blocks." + i + ".**"));
    var last = new ArrayList<>(List.of("blocks." + (blocks.size() - 1) + ".**", "ln_final.**"));
    r.add(last);
    var head = new ArrayList<String>();
    if (pooler != null) (poolerApart ? last : head).add("pool.**");
    if (projection != null) head.add("text_projection.**");
    if (!head.isEmpty()) r.add(head);
    return r;
  }

  @Override public List<String> undecayed() {
    var r = new ArrayList<String>();
    if (registers != null) r.add("reg_tokens");
    if (pooler != null) r.add("pool.query");
    return r;
  }
}
