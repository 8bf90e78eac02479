package jacquard.tests.ranks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Ranks that are processes, joined by Open MPI. Without `mpirun` these tests are left out; CI has it.
@Timeout(120)
class MpiTest {
  @BeforeAll static void isThere() { assumeTrue(Mpirun.isThere(), Mpirun.MISSING); }

  /// Every sum is the one in rank order, to the bit, which MPI's own are not from three ranks on.
  @Test void collectivesAreThoseOfThreads(@TempDir Path folder) throws Exception {
    var ended = Mpirun.of(folder, List.of(Mpirun.rank(3, Map.of(), MpiRank.class, "collectives", "some")));
    assertEquals(0, ended.status(), ended.text());
    assertEquals(3, ended.text().lines().filter("fine"::equals).count(), ended.text());
  }

  /// However rank 1 goes wrong, all end and rank 0 says why.
  @ParameterizedTest @CsvSource({"throws,rank 1 failed: the seventh seal is broken,1",
      "exits,rank 1 has ended (process,3", "is killed,rank 1 has ended (process,137",
      "hangs,no sign for 2 s of rank 1; rank 0 waits at pears,1",
      "does another thing,the ranks do not do the same: rank 0: pears of 1 numbers; rank 1: apples of 1 numbers,1",
      "ends,the ranks do not do the same: rank 0: pears of 1 numbers; rank 1: the end,1"})
  void theCauseIsNamed(String how, String cause, int status, @TempDir Path folder) throws Exception {
    var ended = Mpirun.of(folder, List.of(Mpirun.rank(1, Map.of(), MpiRank.class, how, "0"),
        Mpirun.rank(1, Map.of(), MpiRank.class, how, "1")));
    assertTrue(ended.text().contains("rank 0 says: " + cause), ended.text());
    assertFalse(ended.text().contains("fine"), ended.text());
    assertEquals(status, ended.status(), ended.text());
    if (how.equals("hangs")) assertTrue(ended.text().contains("jacquard: rank 1 of 2 is ended: no sign"), ended.text());
    if (List.of("does another thing", "ends").contains(how))
      assertTrue(ended.text().contains("rank 1 says: " + cause), ended.text());
  }

  /// A library of another binary interface, here one of a single function.
  @Test void mpichIsRefusedByName(@TempDir Path folder) throws Exception {
    var source = Files.writeString(folder.resolve("mpich.c"), """
        int MPI_Get_library_version(char* to, int* n) {
          const char* text = "MPICH Version:      4.0.2\\nMPICH Release date: …";
          for (*n = 0; text[*n]; ++*n) to[*n] = text[*n];
          return to[*n] = 0;
        }
        """);
    var library = folder.resolve("libmpi.so.12");
    assumeTrue(compiled(source, library), "no C compiler");
    var ended = Mpirun.of(folder, List.of(Mpirun.rank(1, Map.of("JACQUARD_MPI", library.toString()), MpiRank.class,
        "collectives", "0")));
    assertNotEquals(0, ended.status());
    assertTrue(ended.text().contains("libmpi.so.12 is MPICH Version: 4.0.2, whose binary interface is not Open MPI's"),
        ended.text());
    var none = Mpirun.of(folder, List.of(Mpirun.rank(1, Map.of("JACQUARD_MPI", "libnone.so"), MpiRank.class,
        "collectives", "0")));
    assertTrue(none.text().contains("no MPI: libnone.so cannot be loaded; install Open MPI"), none.text());
  }

  private static boolean compiled(Path source, Path to) throws IOException, InterruptedException {
    try {
      return new ProcessBuilder("g++", "-x", "c", "-shared", "-fPIC", "-o", to.toString(), source.toString())
          .inheritIO().start().waitFor(1, TimeUnit.MINUTES) && Files.exists(to);
    } catch (IOException e) { return false; }
  }
}
