package jacquard.clip.data;

import jacquard.clip.data.source.Source;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.text.Tokenizer;
import jacquard.tensor.Random;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// New pairs, and between them old ones that are to be kept in mind. A step holds `size` pairs, `old` of them old and
/// spread evenly, so that each micro-batch and
/// rank has its share. Each source is read in permutations of its own. Samples are numbered: the new ones from 0, the
/// old ones after them.
public final class Mixture implements Stream {
  private final List<Source> sources;
  private final int[] share;
  private final Preparation preparation;
  private final Random key;
  private final List<Epoch> epochs = new ArrayList<>();
  private Fingerprint fingerprint;

  private record Epoch(int source, long number, int[] order) {}

  /// @param context ids a caption
  public record Size(int batch, int old, int context, long seed) {}

  /// @param old null for new pairs alone
  public Mixture(Source fresh, Source old, Transform transform, Augmentation augmentation, Tokenizer tokenizer,
      Size size) {
    if (size.old < 0 || size.old >= size.batch)
      throw new IllegalArgumentException(size.old + " old pairs in a step of " + size.batch
          + ", expected fewer than all");
    if (old == null && size.old > 0) throw new IllegalArgumentException(size.old
        + " old pairs a step, and no old data");
    if (fresh.size() < size.batch - size.old)
      throw new IllegalArgumentException(fresh.name() + " holds " + fresh.size() + " pairs, fewer than a step's "
          + (size.batch - size.old));
    this.sources = old == null ? List.of(fresh) : List.of(fresh, old);
    this.share = new int[] {size.batch - size.old, size.old};
    this.key = Random.of(size.seed).fold("data");
    this.preparation = new Preparation(new Framing.Whole(transform, augmentation), tokenizer, size.context, key);
  }

  @Override public int size() { return share[0] + share[1]; }
  @Override public long perEpoch() { return sources.getFirst().size() / share[0]; }
  @Override public Map<String, String> order() { return Map.of("order", "shuffled", "old",
      Integer.toString(share[1])); }
  @Override public String firstFailure() { return preparation.firstFailure(); }
  @Override public List<String> notes() { return preparation.notes(); }

  @Override public synchronized Fingerprint fingerprint() {
    if (fingerprint != null) return fingerprint;
    long h = 0, rows = 0;
    for (var s : sources) {
      for (int i = 0; i < s.size(); i++) h = CaptionNumbers.then(h, CaptionNumbers.hash(s.caption(i)));
      rows += s.size();
    }
    return fingerprint = new Fingerprint(rows, h);
  }

  @Override public Batch at(long step, int rank, int ranks, int parts) {
    var numbers = Stream.share(size(), rank, ranks, parts).mapToLong(i -> number(step, i)).toArray();
    int fresh = sources.getFirst().size();
    return preparation.batch(step, numbers, (n, _) -> {
      var from = sources.get(n < fresh ? 0 : 1);
      int i = (int) (n < fresh ? n : n - fresh);
      return new Preparation.Pair(from.picture(i), from.caption(i));
    });
  }

  /// The number of a step's i-th sample. Of the first i, ⌊i·old/size⌋ are old.
  private long number(long step, int i) {
    long before = (long) i * share[1] / size();
    boolean old = (long) (i + 1) * share[1] / size() > before;
    int which = old ? 1 : 0, n = sources.get(which).size();
    long at = step * share[which] + (old ? before : i - before);
    return (old ? sources.getFirst().size() : 0) + order(which, at / n)[(int) (at % n)];
  }

  private int[] order(int source, long epoch) {
    synchronized (epochs) {
      for (var e : epochs) if (e.source == source && e.number == epoch) return e.order;
      if (epochs.size() == 6) epochs.removeFirst();
      epochs.add(new Epoch(source, epoch, Batches.shuffled(sources.get(source).size(),
          key.fold("order").fold(source).fold(epoch))));
      return epochs.getLast().order;
    }
  }

  @Override public String toString() { return sources.stream().map(Source::name).toList() + " "
      + Arrays.toString(share); }
}
