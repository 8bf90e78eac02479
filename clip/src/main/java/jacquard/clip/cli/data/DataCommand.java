package jacquard.clip.cli.data;

import jacquard.clip.cli.options.data.DataOptions;
import jacquard.clip.cli.options.data.SheetOptions;
import jacquard.clip.data.Preparation;
import jacquard.clip.data.shards.ShardNames;
import jacquard.clip.data.shards.ShardSource;
import jacquard.clip.data.source.Source;
import jacquard.clip.settings.Count;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.util.Arrays;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// What data holds, and whether all of it can be read.
@Command(name = "data", mixinStandardHelpOptions = true, sortOptions = false,
    customSynopsis = "jacquard data DATA [OPTION]…")
public final class DataCommand implements Callable<Integer> {
  @Parameters(paramLabel = "DATA", description = "As train's --train-data.") String data;
  @Option(names = "--samples", paramLabel = "N", description = "Pairs to read (default: ${DEFAULT-VALUE}; 0 for all).")
  int samples = 2000;
  @Mixin DataOptions options;
  @Mixin SheetOptions sheet;

  @Override public Integer call() throws IOException {
    if (samples < 0) throw new IllegalArgumentException("--samples " + samples + ", expected 0 or more");
    int most = samples == 0 ? Integer.MAX_VALUE : samples;
    Source source;
    boolean whole = true;
    if (ShardNames.in(data)) {
      var shards = options.shards.open(data);
      System.out.printf("%s: %s in %s, %,.1f MB of pictures and captions%n", data, Count.of(shards.size(), "pair"),
          Count.of(shards.count(), "shard"), shards.bytes() / 1e6);
      var s = ShardSource.read(shards, most);
      s.notes().forEach(System.out::println);
      whole = s.notes().isEmpty();
      source = s;
    } else {
      source = options.source(data);
      System.out.printf("%s: %s%n", source.name(), Count.of(source.size(), "pair"));
    }
    if (sheet.count != 0) {
      sheet.write(source);
      return whole ? 0 : 1;
    }
    int n = Math.min(most, source.size());
    int[] at = IntStream.range(0, n).map(i -> (int) ((long) source.size() * i / n)).toArray();
    range("captions, letters", IntStream.of(at)
        .map(i -> source.caption(i).codePointCount(0, source.caption(i).length())).toArray());
    System.out.printf("%-20s %,d of %,d%n", "different captions", IntStream.of(at).mapToObj(source::caption).distinct()
        .count(), n);
    var failures = new TreeMap<String, Integer>();
    var first = new String[1];
    long start = System.nanoTime();
    var sizes = IntStream.of(at).parallel().mapToObj(i -> {
      try {
        var p = source.picture(i);
        return new int[] {p.width(), p.height()};
      } catch (IOException e) {
        synchronized (failures) {
          failures.merge(e instanceof Preparation.LeftOut l ? l.reason() : "that cannot be read", 1, Integer::sum);
          if (first[0] == null) first[0] = Reason.of(e);
        }
        return null;
      }
    }).filter(s -> s != null).toList();
    double seconds = (System.nanoTime() - start) / 1e9;
    range("widths", sizes.stream().mapToInt(s -> s[0]).toArray());
    range("heights", sizes.stream().mapToInt(s -> s[1]).toArray());
    failures.forEach((why, count) -> System.out.println(Count.of(count, "sample") + " " + why));
    if (first[0] != null) System.out.println("the first: " + first[0]);
    System.out.printf("%,d%s read and decoded, %,.0f a second%n", sizes.size(),
        sizes.size() < n ? " of " + Count.of(n, "pair") : n == 1 ? " pair" : " pairs", sizes.size() / seconds);
    return failures.isEmpty() && whole ? 0 : 1;
  }

  private static void range(String what, int[] values) {
    if (values.length == 0) return;
    Arrays.sort(values);
    System.out.printf("%-20s %,d to %,d, median %,d%n", what, values[0], values[values.length - 1],
        values[values.length / 2]);
  }
}
