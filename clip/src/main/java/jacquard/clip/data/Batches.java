package jacquard.clip.data;

import jacquard.clip.data.source.Source;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.text.ClipTokenizer;
import jacquard.clip.text.Tokenizer;
import jacquard.clip.text.augment.CaptionAugmentation;
import jacquard.tensor.Random;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// The pairs of a [Source] as a stream. Each epoch is a new permutation of all of them, drawn once and kept while it
/// lasts. Captions are tokenised as they are read.
public final class Batches implements Stream.Numbered {
  private final Source source;
  private final Preparation preparation;
  private final int size;
  private final Random key;
  /// The epochs last asked for: while one ends, batches of the next are read ahead.
  private final List<Epoch> epochs = new ArrayList<>();
  private Fingerprint fingerprint;

  private record Epoch(long number, int[] order) {}

  public Batches(Source source, Transform transform, Augmentation augmentation, int size, int context, long seed) {
    this(source, transform, augmentation, ClipTokenizer.clip(), size, context, seed);
  }

  public Batches(Source source, Transform transform, Augmentation augmentation, Tokenizer tokenizer, int size,
      int context, long seed) {
    this(source, new Framing.Whole(transform, augmentation), CaptionAugmentation.NONE, tokenizer, size, context, seed);
  }

  /// @param size pairs a step, of all ranks
  public Batches(Source source, Framing.Whole framing, CaptionAugmentation captions, Tokenizer tokenizer, int size,
      int context, long seed) {
    if (source.size() < size)
      throw new IllegalArgumentException(source.name() + " holds " + source.size() + " pairs, fewer than a step's "
          + size + "; lower --batch-size");
    this.source = source;
    this.size = size;
    this.key = Random.of(seed).fold("data");
    this.preparation = new Preparation(framing, captions, tokenizer, context, key);
  }

  @Override public String name() { return source.name(); }
  @Override public int size() { return size; }
  @Override public long perEpoch() { return source.size() / size; }
  @Override public Map<String, String> order() { return Map.of("order", "shuffled"); }
  @Override public String firstFailure() { return preparation.firstFailure(); }

  @Override public synchronized Fingerprint fingerprint() {
    if (fingerprint != null) return fingerprint;
    long h = 0;
    for (int i = 0; i < source.size(); i++) h = CaptionNumbers.then(h, CaptionNumbers.hash(source.caption(i)));
    return fingerprint = new Fingerprint(source.size(), h);
  }

  /// How many samples could not be read so far.
  public long unreadable() { return preparation.unreadable(); }

  @Override public List<String> notes() { return preparation.notes(); }

  @Override public Preparation preparation() { return preparation; }

  @Override public long[] numbers(long step, int rank, int ranks, int parts) {
    int[] order = order(step / perEpoch());
    int from = (int) (step % perEpoch()) * size;
    return Stream.share(size, rank, ranks, parts).mapToLong(i -> order[from + i]).toArray();
  }

  @Override public Preparation.Pairs pairs() {
    return (number, draw) -> new Preparation.Pair(source.picture((int) number), source.caption((int) number, draw));
  }

  private int[] order(long epoch) {
    synchronized (epochs) {
      for (var e : epochs) if (e.number == epoch) return e.order;
      if (epochs.size() == 2) epochs.removeFirst();
      epochs.add(new Epoch(epoch, shuffled(source.size(), key.fold("order").fold(epoch))));
      return epochs.getLast().order;
    }
  }

  /// Fisher and Yates, from a key.
  public static int[] shuffled(int n, Random key) {
    int[] r = IntStream.range(0, n).toArray();
    for (int i = 0; i < n - 1; i++) {
      int j = i + key.below(i, n - i), t = r[i];
      r[i] = r[j];
      r[j] = t;
    }
    return r;
  }
}
