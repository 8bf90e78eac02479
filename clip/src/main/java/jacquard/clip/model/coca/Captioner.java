package jacquard.clip.model.coca;

import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.nn.transformer.Cache;
import jacquard.tensor.Scope;
import java.util.Arrays;
import java.util.List;

/// Writes captions of pictures. Each step reads one token of each caption: keys and values of what came before are
/// kept, those of the pictures are made once.
public final class Captioner {
  private final ClipModel model;
  private final List<Cache> text;
  private final CaptionDecoder.Reading reading;
  private int[] last;
  private int place;

  private Captioner(ClipModel model, ImageBatch images) {
    this.model = model;
    text = Cache.of(model.text().readable());
    reading = model.decoder().read(model.visual().tokens(images));
  }

  /// Token ids of a caption for each picture, all of one length: prompt, caption, end, pads.
  ///
  /// @param prompts what each caption begins with, of one length; null: the start alone
  /// @throws IllegalArgumentException if the model has no decoder or its text tower cannot read token by token
  public static int[][] captions(ClipModel model, ImageBatch images, int[][] prompts, Generation g) {
    if (model.decoder() == null)
      throw new IllegalArgumentException(
          "this model writes no captions: it has no decoder (multimodal_cfg), as CoCa has");
    if (model.text().readable() == 0)
      throw new IllegalArgumentException(
          "this model's text tower does not read token by token, expected CLIP's causal one");
    if (g.longest() > model.text().input().context() + 1)
      throw new IllegalArgumentException("captions of " + g.longest() + " tokens, the model reads at most "
          + model.text().input().context());
    int[][] begun = prompts != null ? prompts : new int[images.count()][];
    if (prompts == null) Arrays.setAll(begun, _ -> new int[] {g.marks().start()});
    try (var _ = Scope.open()) {
      var reader = new Captioner(model, images);
      return switch (g.search()) {
        case Generation.Beams(int count) -> new BeamSearch(reader, g, count, begun).run();
        case Generation.Sampled s -> Sampling.run(reader, g, s, begun);
      };
    }
  }

  /// The scores of what may follow, when each caption has one more token: `[captions][vocabulary]`.
  float[][] next(int[] ids) {
    var seen = model.text().seen(last, ids.length);
    try (var _ = Scope.open()) {
      var logits = model.decoder().next(model.text().next(ids, place++, seen, text), reading);
      last = ids;
      float[] all = logits.floats();
      int n = logits.dim(1);
      float[][] r = new float[ids.length][];
      Arrays.setAll(r, i -> Arrays.copyOfRange(all, i * n, i * n + n));
      return r;
    }
  }

  /// The same after all but the last tokens of some beginnings were read.
  float[][] begin(int[][] prompts) {
    float[][] scores = null;
    for (int i = 0; i < prompts[0].length; i++) {
      int at = i;
      scores = next(Arrays.stream(prompts).mapToInt(p -> p[at]).toArray());
    }
    return scores;
  }

  /// Goes on with these captions.
  void pick(int[] captions) {
    try (var _ = Scope.open()) {
      text.forEach(c -> c.pick(captions));
      reading.caches().forEach(c -> c.pick(captions));
    }
    last = Arrays.stream(captions).map(c -> last[c]).toArray();
  }

  /// What a caption so far makes of scores: repeated tokens are less likely, and none ends too soon.
  static void adjust(double[] scores, int[] caption, int length, Generation g) {
    if (g.repetition() != 1)
      Arrays.stream(caption, 0, length).distinct()
          .forEach(t -> scores[t] = scores[t] < 0 ? scores[t] * g.repetition() : scores[t] / g.repetition());
    if (length < g.shortest()) scores[g.marks().end()] = Double.NEGATIVE_INFINITY;
  }

  /// The n largest scores' numbers, the largest first, of equal ones the lowest number.
  static int[] best(double[] scores, int n) {
    int found = 0;
    int[] r = new int[Math.min(n, scores.length)];
    for (int t = 0; t < scores.length; t++) {
      if (found == r.length && scores[t] <= scores[r[found - 1]]) continue;
      int at = found < r.length ? found++ : found - 1;
      for (; at > 0 && scores[t] > scores[r[at - 1]]; at--) r[at] = r[at - 1];
      r[at] = t;
    }
    return r;
  }
}
