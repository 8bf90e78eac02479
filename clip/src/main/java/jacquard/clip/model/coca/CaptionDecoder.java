package jacquard.clip.model.coca;

import jacquard.autograd.Named;
import jacquard.clip.loss.CaptionLoss;
import jacquard.clip.model.BlockConfig;
import jacquard.clip.model.Blocks;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.tower.Encoding;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.LayerNorm;
import jacquard.clip.nn.transformer.Block;
import jacquard.clip.nn.transformer.Cache;
import jacquard.clip.nn.transformer.Sight;
import jacquard.clip.nn.transformer.Transformer;
import jacquard.tensor.Sequences;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// CoCa's decoder (Yu et al. 2022): blocks of causal attention over a caption's tokens, each followed by one of
/// attention to the picture's.
///
/// @param projection from a row to the logits of the next token, `[width, vocabulary]`
public record CaptionDecoder(@Named("resblocks") List<Block> blocks, @Named("cross_attn") List<CrossBlock> crossing,
    @Named("ln_final") LayerNorm norm,
    @Named("text_projection") Tensor projection) {
  private static final float EPSILON = 1e-5f;
  /// The label that asks for nothing: OpenCLIP's loss passes over it whatever the tower's pad is.
  private static final int NO_LABEL = 0;

  /// Why a config cannot have a decoder; empty if it can.
  public static Optional<String> refused(ClipConfig clip) {
    return clip.vision().outputTokens() && clip.text().outputTokens() ? Optional.empty()
        : Optional.of("multimodal_cfg without output_tokens in vision_cfg and text_cfg: the decoder has nothing to "
        + "read");
  }

  /// The projection begins like the towers' own; upstream it begins as whatever lay in memory.
  public static CaptionDecoder of(ClipConfig clip, Init.Maker make) {
    var c = DecoderConfig.of(clip.other().multimodalCfg());
    int w = c.width();
    var crossing = new ArrayList<CrossBlock>();
    var blocks = blocks(c, clip, make);
    for (var b : blocks(c, clip, make)) crossing.add(CrossBlock.of(b, LayerNorm.of(make, w, EPSILON)));
    return new CaptionDecoder(blocks, List.copyOf(crossing), LayerNorm.of(make, w, EPSILON),
        make.make(new Init.Normal(1 / Math.sqrt(w)), w, clip.text().vocabularySize()));
  }

  private static List<Block> blocks(DecoderConfig c, ClipConfig clip, Init.Maker make) {
    int w = c.width();
    return Blocks.transformer(make, c.layers(), w, c.heads(), 4, c.layerScale().orElse(0), EPSILON,
        clip.activation(false), BlockConfig.DEFAULTS,
        Blocks.Inits.vision(w, 4 * w)).blocks();
  }

  /// A row of logits for each row of the captions: what token comes next. `[rows, vocabulary]`
  public Tensor logits(Encoding picture, Encoding caption) { return rows(picture, caption).matmul(projection); }

  private Tensor rows(Encoding picture, Encoding caption) {
    var s = caption.sequences();
    var causal = Sight.causal(s);
    var x = caption.tokens();
    for (int i = 0; i < blocks.size(); i++) {
      Block block = blocks.get(i);
      CrossBlock cross = crossing.get(i);
      x = Transformer.once(x, t -> block.apply(t, causal, null));
      x = Transformer.once(List.of(x, picture.tokens()), t ->
          List.of(cross.apply(t.get(0), s, cross.keys(t.get(1)), picture.sequences()))).getFirst();
    }
    return norm.apply(x);
  }

  /// Of each caption the sum of the losses of its tokens but the first, `[captions, 1]`; [#labels] says how many they
  /// are.
  public Tensor losses(Encoding picture, Encoding caption, int[][] captions) {
    var s = caption.sequences();
    int[] owners = s.owners(), rows = IntStream.range(0, s.rows())
        .filter(r -> label(captions[owners[r]], s.positions()[r]) != NO_LABEL).toArray();
    int[] labels = IntStream.of(rows).map(r -> label(captions[owners[r]], s.positions()[r])).toArray();
    int[] whose = IntStream.of(rows).map(r -> owners[r]).toArray();
    if (rows.length == 0) return Tensor.zeros(Shape.of(captions.length, 1));
    return CaptionLoss.of(rows(picture, caption).gather(rows), projection, labels)
        .scatterAdd(captions.length, Tensor.ofInts(Shape.of(whose.length), whose));
  }

  /// How many tokens of each caption are to be foretold from the rows of `caption`. `[captions, 1]`
  public static Tensor labels(Encoding caption, int[][] captions) {
    var s = caption.sequences();
    float[] r = new float[captions.length];
    for (int b = 0; b < r.length; b++)
      for (int row = s.from(b); row < s.to(b); row++) if (label(captions[b], s.positions()[row]) != NO_LABEL) r[b]++;
    return Tensor.of(Shape.of(r.length, 1), r);
  }

  private static int label(int[] caption, int place) {
    return place + 1 < caption.length ? caption[place + 1] : NO_LABEL;
  }

  /// What a search knows of its pictures and of the tokens so far.
  record Reading(List<List<Tensor>> keys, Sequences pictures, List<Cache> caches) {}

  Reading read(Encoding picture) {
    return new Reading(crossing.stream().map(c -> c.keys(picture.tokens())).toList(), picture.sequences(),
        Cache.of(blocks.size()));
  }

  /// The logits after one more token of each caption, `[captions, vocabulary]`; of each picture there are equally many
  /// captions.
  Tensor next(Tensor x, Reading reading) {
    var sequences = Sequences.equal(reading.pictures.count(), x.dim(0) / reading.pictures.count());
    for (int i = 0; i < blocks.size(); i++)
      x = crossing.get(i).apply(blocks.get(i).apply(x, reading.caches.get(i), null), sequences, reading.keys.get(i),
          reading.pictures);
    // a linear layer's weight stays packed from step to step
    return norm.apply(x).linear(projection.permute(1, 0), null, Activation.NONE);
  }
}
