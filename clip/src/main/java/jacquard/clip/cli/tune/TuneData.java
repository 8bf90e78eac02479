package jacquard.clip.cli.tune;

import jacquard.clip.cli.options.data.DataOptions;
import jacquard.clip.data.source.Part;
import jacquard.clip.data.source.Source;
import java.io.IOException;
import java.util.stream.IntStream;
import picocli.CommandLine.Option;

/// What is learned, and what must stay.
final class TuneData {
  /// Of the new pairs, every so many is held out where no others are.
  private static final int HELD = 5;

  @Option(names = "--data", paramLabel = "B",
      description = "The new pairs: a table, a folder, or a split of the emoji; its captions are the "
          + "names.") String data;
  @Option(names = "--test-data", paramLabel = "B",
      description = "New pairs to measure by (default: every fifth of --data, which is then not trained "
          + "on).") String test;
  @Option(names = "--guard", paramLabel = "A",
      description = "Pairs that must stay known: measured before, during and after (default: "
          + "${DEFAULT-VALUE}).") String guard = "emoji-heldout";
  @Option(names = "--old-data", paramLabel = "DATA",
      description = "Old pairs that are learned again beside the new ones; none of the guard's.") String old;

  /// @param fresh,test what is learned, and what is measured
  /// @param old        null where there is none
  record Sources(Source fresh, Source test, Source guard, Source old) {}

  Sources read(DataOptions tables) throws IOException {
    if (data == null) throw new IllegalArgumentException("tune needs --data, the pairs to learn");
    var all = tables.source(data);
    var measured = test == null ? part(all, true) : tables.source(test);
    return new Sources(test == null ? part(all, false) : all, measured, tables.source(guard), old == null ? null
        : tables.source(old));
  }

  private static Source part(Source all, boolean held) {
    int[] which = IntStream.range(0, all.size()).filter(i -> (i % HELD == HELD - 1) == held).toArray();
    if (which.length < 2) throw new IllegalArgumentException(all.name() + " holds " + all.size()
        + " pairs, too few to hold some out; give others with --test-data");
    return new Part(all, all.name() + (held ? ", every fifth" : ""), which);
  }
}
