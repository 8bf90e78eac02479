package jacquard.tests.ranks.joined;

import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.tests.ranks.MpiRank;
import jacquard.tests.ranks.Mpirun;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Ranks that are processes, joined by TCP with the variables of torchrun.
@Timeout(120)
class TcpTest {
  private record Rank(Process process, Path output) {
    String text() throws IOException { return Files.readString(output); }
  }

  private static List<Rank> ended(Path folder, int ranks, String how) throws IOException, InterruptedException {
    int port;
    try (var free = new ServerSocket(0)) { port = free.getLocalPort(); }
    var all = new ArrayList<Rank>();
    for (int r = 0; r < ranks; r++) {
      var command = Mpirun.rank(1, Map.of(), MpiRank.class, how, Integer.toString(r));
      var java = new ArrayList<>(command.subList(2, command.size()));
      java.add(1, "-Dkind=tcp");
      var b = new ProcessBuilder(java).redirectErrorStream(true);
      b.environment().putAll(Map.of("RANK", Integer.toString(r), "WORLD_SIZE", Integer.toString(ranks), "LOCAL_RANK",
          Integer.toString(r), "MASTER_ADDR", "localhost", "MASTER_PORT", Integer.toString(port)));
      var output = folder.resolve("rank" + r);
      all.add(new Rank(b.redirectOutput(output.toFile()).start(), output));
    }
    for (var r : all)
      if (!how.equals("hangs") || r != all.get(1))
        assertTrue(r.process.waitFor(30, TimeUnit.SECONDS), "it does not end");
    all.forEach(r -> r.process.destroyForcibly());
    return all;
  }

  @Test void collectivesAreThoseOfThreads(@TempDir Path folder) throws Exception {
    for (var r : ended(folder, 3, "collectives")) assertTrue(r.text().lines().anyMatch("fine"::equals), r.text());
  }

  @ParameterizedTest @CsvSource({"throws,rank 1 failed: the seventh seal is broken",
      "is killed,rank 1 has ended: its connection is gone", "hangs,no sign for 2 s of rank 1; rank 0 waits at pears",
      "does another thing,the ranks do not do the same: rank 0: pears of 1 numbers; rank 1: apples of 1 numbers"})
  void theCauseIsNamed(String how, String cause, @TempDir Path folder) throws Exception {
    var all = ended(folder, 2, how);
    assertTrue(all.getFirst().text().contains("rank 0 says: " + cause), all.getFirst().text());
    if (how.equals("does another thing"))
      assertTrue(all.get(1).text().contains("rank 1 says: " + cause), all.get(1).text());
  }
}
