package jacquard.clip.tune.outcome;

import jacquard.clip.data.source.Source;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/// Pictures that are both trained on and guarded by, found by a hash of their pixels: a guard that was trained on says
/// too much.
public final class Overlap {
  private Overlap() {}

  /// How many pictures of a source are also in others.
  public static long of(Source guard, List<Source> trained) {
    Set<Long> known = new HashSet<>();
    for (var t : trained) hashes(t).forEach(known::add);
    return Arrays.stream(hashes(guard).toArray()).filter(known::contains).count();
  }

  /// Of those that can be read, whatever format they lie in.
  private static java.util.stream.LongStream hashes(Source source) {
    return IntStream.range(0, source.size()).parallel().mapToObj(i -> {
      try { return (Long) hash(source, i); } catch (IOException | RuntimeException e) { return null; }
    }).filter(h -> h != null).mapToLong(h -> h);
  }

  /// FNV-1a over size and samples.
  private static long hash(Source source, int index) throws IOException {
    var p = source.picture(index).pixels();
    long h = 0xcbf29ce484222325L;
    for (int side : new int[] {p.width(), p.height()}) h = (h ^ side) * 0x100000001b3L;
    for (byte b : p.rgb()) h = (h ^ (b & 255)) * 0x100000001b3L;
    return h;
  }
}
