package jacquard.clip.data.shards;

import jacquard.clip.data.CaptionNumbers;
import jacquard.clip.data.Preparation;
import jacquard.clip.data.Stream;
import jacquard.clip.data.parquet.Columns;
import jacquard.clip.image.ImageException;
import jacquard.clip.image.Images;
import jacquard.clip.settings.Count;
import jacquard.clip.settings.Reason;
import jacquard.tensor.Random;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.IntStream;

/// Pairs in tar shards, as webdataset lays them out, by number: shard after shard, in each those that have a picture
/// and a caption. What is held of the set is a few numbers a shard, and the indices of the shards last read. Any thread
/// may read.
public final class Shards {
  /// Samples whose places are held at most.
  private static final long HELD = 4_000_000;

  /// Shards that belong together.
  ///
  /// @param factor how often they appear in an epoch; while drawing shards, the weight of each
  public record From(List<String> names, double factor) {}

  /// The pairs of a shard: `[4 · count]`, first byte and length of the picture, then of the caption; or the captions
  /// themselves.
  private record Places(long[] where, List<String> captions) {}

  /// @param entries samples in the index, `lost` of them by reason without what a pair needs
  private record Shard(ShardFile file, ShardFile.State state, int source, int count, int entries, long bytes,
      Map<String, Long> lost, long hash, String broken) {}

  private final String name;
  private final Fields fields;
  private final Columns columns;
  private final BlockCache cache;
  private final List<Shard> shards;
  private final double[] factors;
  private final long[] start;
  private final LinkedHashMap<Integer, Places> held = new LinkedHashMap<>(16, 0.75f, true);
  private long inHold;

  private Shards(String name, Fields fields, Columns columns, BlockCache cache, List<Shard> shards, double[] factors) {
    this.name = name;
    this.fields = fields;
    this.columns = columns;
    this.cache = cache;
    this.shards = shards;
    this.factors = factors;
    this.start = new long[shards.size() + 1];
    for (int i = 0; i < shards.size(); i++) start[i + 1] = start[i] + shards.get(i).count;
  }

  /// Reads the index of every shard, or makes it.
  ///
  /// @throws IOException naming a shard that is not there or is no tar, or where there is no pair
  public static Shards open(String name, List<From> sources, Fields fields) throws IOException {
    return open(name, sources, fields, null);
  }

  /// @param cache for shards behind addresses; null where there are none
  public static Shards open(String name, List<From> sources, Fields fields, BlockCache cache) throws IOException {
    return open(name, sources, fields, cache, Columns.NONE);
  }

  /// @param columns of the Parquet files beside the shards
  public static Shards open(String name, List<From> sources, Fields fields, BlockCache cache,
      Columns columns) throws IOException {
    record Named(String name, int source) {}
    var named = new ArrayList<Named>();
    for (int s = 0; s < sources.size(); s++) for (var n : sources.get(s).names) named.add(new Named(n, s));
    // A stream that throws leaves its other readers at work. Here none begins after a failure, and all are waited for.
    var failures = new ConcurrentSkipListMap<Integer, IOException>();
    var shards = IntStream.range(0, named.size()).parallel().mapToObj(i -> {
      if (!failures.isEmpty()) return null;
      try { return indexed(ShardFile.of(named.get(i).name, cache), named.get(i).source, fields,
            columns.of(ShardFile.beside(named.get(i).name, cache))); }
      catch (IOException e) { failures.put(i, e); return null; }
    }).toList();
    if (!failures.isEmpty()) throw failures.firstEntry().getValue();
    var r = new Shards(name, fields, columns, cache, shards, named.stream()
        .mapToDouble(n -> sources.get(n.source).factor).toArray());
    if (r.size() == 0)
      throw new IOException(name + " holds no pair in " + Count.of(shards.size(), "shard")
          + (r.notes().isEmpty() ? "" : ": " + String.join("; ", r.notes())));
    return r;
  }

  private static Shard indexed(ShardFile file, int source, Fields fields, Columns.Rows rows) throws IOException {
    var index = ShardIndex.of(file);
    var lost = new TreeMap<String, Long>();
    int count = 0;
    long hash = 0, bytes = 0;
    for (var s : index.samples()) {
      var why = lost(fields, s, rows);
      if (why != null) {
        lost.merge(why, 1L, Long::sum);
        continue;
      }
      count++;
      long text = rows.captions() == null ? fields.text(s).length() : CaptionNumbers.hash(rows.captions().get(name(s)));
      bytes += fields.image(s).length() + (rows.captions() == null ? text : 0);
      hash = CaptionNumbers.then(CaptionNumbers.then(hash, CaptionNumbers.hash(s.key())),
          fields.image(s).length() + 31 * text);
    }
    return new Shard(file, index.state(), source, count, index.samples().size(), bytes, lost, hash, index.broken());
  }

  /// Why a sample is no pair; null where it is one.
  private static String lost(Fields fields, ShardIndex.Sample s, Columns.Rows rows) {
    return fields.image(s) == null ? Fields.NO_IMAGE
        : rows.captions() == null ? fields.text(s) == null ? Fields.NO_TEXT : rows.lost(name(s))
        : rows.captions().containsKey(name(s)) ? rows.lost(name(s)) : Fields.NO_TEXT;
  }

  private static String name(ShardIndex.Sample s) { return s.key().substring(s.key().lastIndexOf('/') + 1); }
  /// Whether a shard of this name is brought into a cache.
  public static boolean elsewhere(String name) {
    return HttpShard.is(name) || name.startsWith(ShardFile.OfCommand.PREFIX);
  }

  public String name() { return name; }
  public Fields fields() { return fields; }
  /// How many pairs there are.
  public long size() { return start[start.length - 1]; }
  public int count() { return shards.size(); }
  /// Bytes of all pairs.
  public long bytes() { return shards.stream().mapToLong(Shard::bytes).sum(); }

  /// Samples that are no pairs, by reason.
  public Map<String, Long> lost() {
    var r = new TreeMap<String, Long>();
    for (var s : shards) s.lost.forEach((why, n) -> r.merge(why, n, Long::sum));
    return r;
  }

  /// The shards whose end could not be read, and why.
  public List<String> broken() {
    return shards.stream().filter(s -> !s.broken.isEmpty()).map(s -> s.file.name() + ": " + s.broken).toList();
  }

  /// What a reader should know of the set before any sample is read.
  public List<String> notes() {
    var r = new ArrayList<String>();
    if (!lost().isEmpty()) r.add("left out of " + name + ": " + words(lost()));
    if (!broken().isEmpty())
      r.add(Count.of(broken().size(), "shard ends", "shards end") + " early, and what was behind is lost; the first: "
          + broken().getFirst());
    return r;
  }

  static String words(Map<String, Long> reasons) {
    return String.join(", ", reasons.keySet().stream().map(k -> Count.of(reasons.get(k), "sample") + " " + k).toList());
  }

  Stream.Fingerprint fingerprint() {
    long h = 0;
    for (var s : shards) h = CaptionNumbers.then(h, s.hash);
    return new Stream.Fingerprint(size(), h);
  }

  /// @param total     samples an epoch; 0 for all, as often as their factors say
  /// @param resampled whether shards are drawn with replacement
  /// @param lanes     0 for the number that suits
  /// @param window    0 for the size that suits
  public record Epochs(long total, boolean resampled, int lanes, long window) {
    public static final Epochs PLAIN = new Epochs(0, false, 0, 0);
  }

  /// Samples an epoch.
  public long perEpoch(Epochs how) {
    if (how.total > 0) return how.total;
    return how.resampled ? size() : Order.natural(counts(), factors, sources());
  }

  Order order(Epochs how, int size, Random key) {
    // What a machine keeps in its memory of files is read in any order; of more, each lane reads its shards forwards.
    boolean fits = bytes() <= 32L << 30 && size() <= HELD;
    int lanes = how.lanes > 0 ? how.lanes : fits && how.window == 0 ? 1 : Order.lanes(size);
    long window = how.window > 0 ? how.window : lanes == 1 ? Long.MAX_VALUE : 2048;
    return new Order(counts(), factors, sources(), perEpoch(how), how.resampled, size, lanes, window, key);
  }

  private long[] counts() { return shards.stream().mapToLong(Shard::count).toArray(); }
  private int[] sources() { return shards.stream().mapToInt(Shard::source).toArray(); }

  /// In words, where they are not all 1.
  String factors() {
    if (Arrays.stream(factors).allMatch(f -> f == 1)) return "";
    var each = new TreeMap<Integer, Double>();
    for (int i = 0; i < factors.length; i++) each.put(shards.get(i).source, factors[i]);
    return ", factors " + String.join("::", each.values().stream().map(Object::toString).toList());
  }

  long number(Order.Place place) { return start[place.shard()] + place.sample(); }

  private int shard(long number) {
    int at = Arrays.binarySearch(start, number);
    if (at < 0) return -at - 2;
    while (at + 1 < start.length && start[at + 1] == number) at++;               // shards without a pair
    return at;
  }

  /// The key of a pair, as its shard's entries name it.
  public String key(long number) throws IOException {
    int s = shard(number);
    var file = shards.get(s).file;
    return pairs(ShardIndex.of(file), columns.of(ShardFile.beside(file.name(), cache)))
        .get((int) (number - start[s])).key();
  }

  private List<ShardIndex.Sample> pairs(ShardIndex index, Columns.Rows rows) {
    return index.samples().stream().filter(p -> lost(fields, p, rows) == null).toList();
  }

  /// The caption of a pair.
  ///
  /// @param draw what the choice among several is drawn from
  public String caption(long number, Random draw) throws Preparation.LeftOut {
    if (columns.captions() == null)
      return fields.caption(part(number, 2, Fields.LONGEST_TEXT), called(number), draw);
    int s = shard(number);
    String text;
    try { text = places(s).captions.get((int) (number - start[s])); }
    catch (IOException e) { throw new Preparation.LeftOut(Fields.SHARD, Reason.of(e), e); }
    if (text.isBlank()) throw new Preparation.LeftOut(Fields.EMPTY, called(number) + ": the caption is empty", null);
    return text;
  }

  /// A pair, decoded.
  public Preparation.Pair pair(long number, Random draw) throws Preparation.LeftOut {
    var caption = caption(number, draw);
    try {
      return new Preparation.Pair(Images.read(file(number), called(number),
          Images.Options.DEFAULT.maximumPixels(fields.maximumPixels())), caption);
    }
    catch (ImageException e) {
      throw new Preparation.LeftOut(e.getMessage().contains("pixels, expected at most") ? Fields.LARGE : Fields.BROKEN,
          e.getMessage(), e);
    }
  }

  /// The file of a pair's picture as it lies.
  public byte[] file(long number) throws Preparation.LeftOut {
    return part(number, 0, (1 << 20) + 16 * Math.min(fields.maximumPixels(), 1L << 26));
  }

  /// @param which 0 for the picture, 2 for the caption
  private byte[] part(long number, int which, long most) throws Preparation.LeftOut {
    int s = shard(number), at = 4 * (int) (number - start[s]) + which;
    var shard = shards.get(s);
    try {
      var where = places(s).where;
      if (where[at + 1] > Math.min(most, Integer.MAX_VALUE - 8))
        throw new Preparation.LeftOut(Fields.LARGE,
            called(number) + ": %,d bytes, expected at most %,d".formatted(where[at + 1], most), null);
      if (!shard.file.state().equals(shard.state))
        throw new IOException(shard.file.name() + " changed while it was read");
      return shard.file.read(where[at], (int) where[at + 1]);
    } catch (Preparation.LeftOut e) { throw e; }
    catch (IOException e) { throw new Preparation.LeftOut(Fields.SHARD, Reason.of(e), e); }
  }

  private String called(long number) {
    return shards.get(shard(number)).file.name() + ", sample " + (number - start[shard(number)]);
  }

  private Places places(int s) throws IOException {
    synchronized (held) {
      var found = held.get(s);
      if (found != null) return found;
    }
    var shard = shards.get(s);
    var index = ShardIndex.of(shard.file);
    if (!index.state().equals(shard.state)) throw new IOException(shard.file.name() + " changed while it was read");
    var rows = columns.of(ShardFile.beside(shard.file.name(), cache));
    var pairs = pairs(index, rows);
    if (pairs.size() != shard.count) throw new IOException(shard.file.name() + " has another index than before");
    var r = new Places(IntStream.range(0, 4 * pairs.size()).mapToLong(i -> {
      var part = i % 4 < 2 ? fields.image(pairs.get(i / 4)) : fields.text(pairs.get(i / 4));
      return part == null ? 0 : i % 2 == 0 ? part.at() : part.length();
    }).toArray(), rows.captions() == null ? null
        : pairs.stream().map(p -> rows.captions().get(name(p))).toList());
    synchronized (held) {
      if (held.put(s, r) == null) inHold += shard.count;
      for (var eldest = held.entrySet().iterator(); inHold > HELD && held.size() > 1; eldest.remove())
        inHold -= shards.get(eldest.next().getKey()).count;
      return r;
    }
  }
}
