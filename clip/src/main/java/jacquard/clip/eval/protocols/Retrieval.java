package jacquard.clip.eval.protocols;

import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Ranking;
import jacquard.clip.eval.features.Subject;
import jacquard.clip.eval.metrics.Bootstrap;
import jacquard.clip.eval.metrics.Ranks;
import jacquard.clip.eval.sets.Truth;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Pictures of captions and captions of pictures: `image_retrieval_recall@k` is the share of captions whose picture is
/// among the k best, `text_retrieval_recall@k` that of pictures with one of their captions among the k best.
///
/// @param ks cut-offs
public record Retrieval(List<Integer> ks) implements Protocol {
  public static final List<Integer> USUAL = List.of(1, 5, 10);

  @Override public String task() { return "zeroshot_retrieval"; }

  @Override public Measured of(Subject subject, Parts parts, Advance advance) throws IOException {
    if (!(parts.test().truth() instanceof Truth.Captions truth))
      throw new IOException(parts.test().folder() + " has no captions, expected some for " + task());
    var seen = Seen.of(subject, parts.test(), advance);
    var captions = new ArrayList<String>();
    var owner = new ArrayList<Integer>();
    for (int i = 0; i < seen.numbers().length; i++) for (var c : truth.of().get(seen.numbers()[i])) {
      captions.add(c);
      owner.add(i);
    }
    int[] image = owner.stream().mapToInt(i -> i).toArray();
    float[][] texts = subject.features().texts(captions, subject.embedder(), advance);
    var ranking = Ranking.of(seen.features(), texts, ks.stream().mapToInt(k -> k).max().orElse(1), subject.device());
    Ranking.Match right = (picture, text) -> image[text] == picture;
    int[] all = IntStream.range(0, texts.length).toArray();
    var r = Measured.empty(seen.numbers().length, seen.missing());
    for (int k : ks) {
      r.metrics().put("image_retrieval_recall@" + k, ranking.columnRecall(all, right, k));
      r.metrics().put("text_retrieval_recall@" + k, ranking.rowRecall(right, k));
      r.intervals().put("image_retrieval_recall@" + k, Bootstrap.of(ranking.columnHits(right, k)));
      r.intervals().put("text_retrieval_recall@" + k, Bootstrap.of(ranking.rowHits(right, k)));
    }
    if (ks.contains(1)) r.metrics().put("mean_recall@1", (r.metrics().get("image_retrieval_recall@1")
        + r.metrics().get("text_retrieval_recall@1")) / 2);
    // Where each picture has one caption, a rank is a number too: what OpenCLIP reports while it trains.
    if (seen.numbers().length == texts.length)
      Ranks.of(seen.features(), texts, subject.device()).forEach((name, v) -> {
        if (name.endsWith("_rank")) r.metrics().put(name, v);
      });
    return r;
  }
}
