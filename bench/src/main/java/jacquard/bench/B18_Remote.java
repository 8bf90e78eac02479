package jacquard.bench;

import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Lane;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Server;
import jacquard.clip.data.shards.BlockCache;
import jacquard.clip.data.shards.Fields;
import jacquard.clip.data.shards.Shards;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// 32 shards of 512 JPEGs, 350 MB, from a server that takes 30 ms to answer and fails in 3 of 100 answers, beside the
/// same server without faults. Each call begins with an empty cache.
///
/// What you should see: at least four fifths of the faultless rate, and the sum of all bytes the same.
@State(Scope.Benchmark)
public class B18_Remote implements Work.Case {
  private static final int FILES = 2, EACH = 512, SHARDS = 32;
  @Param({"3"}) public int faults;

  private Server faulty, faultless;
  private long expected;

  @Override public Work work() {
    return new Work("shards by http, " + faults + " % faults", Work.Unit.EACH, SHARDS * EACH, "the same without faults",
        0.8);
  }

  @Override public boolean on(int threads) { return threads == 2; }
  @Override public boolean heavy() { return true; }

  @Setup public void open() throws Exception {
    var files = Samples.shards(FILES, EACH);
    faulty = new Server(files, faults);
    faultless = new Server(files, 0);
    for (var f : files) expected += sum(Shards.open("shards", List.of(new Shards.From(List.of(f.toString()), 1)),
        Fields.DEFAULT));
    expected *= SHARDS / FILES;
  }

  @TearDown public void close() {
    faulty.close();
    faultless.close();
  }

  private static long sum(Shards shards) {
    return IntStream.range(0, (int) shards.size()).parallel().mapToLong(i -> {
      try {
        var crc = new CRC32();
        crc.update(shards.file(i));
        return crc.getValue();
      } catch (IOException e) { throw new UncheckedIOException(e); }
    }).sum();
  }

  private void read(Server server) throws IOException {
    var cache = Files.createTempDirectory(Path.of("bench/target"), "cache");
    var shards = Shards.open("shards", List.of(new Shards.From(server.names(SHARDS), 1)), Fields.DEFAULT,
        new BlockCache(cache, 1L << 30));
    if (sum(shards) != expected) throw new IllegalStateException("other bytes than the files'");
    try (var all = Files.list(cache)) { for (var f : all.toList()) Files.delete(f); }
    Files.delete(cache);
  }

  @Benchmark public void race(Score score) throws Exception {
    Contest.of(() -> read(faulty), Lane.of(() -> read(faultless))).run(score, work());
  }
}
