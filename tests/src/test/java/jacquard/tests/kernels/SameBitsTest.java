package jacquard.tests.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.kernels.cpu.Simd;
import jacquard.tests.Digests;
import jacquard.tests.Fork;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// The same bits on any number of cores, from the interpreter, C1 and C2, under any collector: of every op, and of a
/// ViT and a ResNet after some steps of training. Widths of vectors fold sums otherwise, so that bits belong to a
/// width; at each width every spec holds, and 256 bits are the same 256 bits on any CPU.
class SameBitsTest {
  private static final int BITS = 32 * Simd.LANES;

  /// Digests by name; what failed.
  private record Outcome(Map<String, String> digests, List<String> failed) {}

  @TestFactory Stream<DynamicTest> everywhere() {
    var pool = Executors.newFixedThreadPool(2);
    var base = start(pool, List.of(), "train", "seconds=4");
    var tests = new ArrayList<DynamicTest>();
    tests.add(DynamicTest.dynamicTest("while it is compiled", () -> assertEquals(List.of(), base.get().failed)));
    same(tests, pool, base, "interpreted", List.of("-Xint"), "small", "train");
    same(tests, pool, base, "C1", List.of("-XX:TieredStopAtLevel=1"), "train");
    same(tests, pool, base, "1 thread, serial collector", List.of("-Djacquard.threads=1", "-XX:+UseSerialGC"), "train");
    same(tests, pool, base, "2 threads, G1", List.of("-Djacquard.threads=2", "-XX:+UseG1GC"), "train");
    same(tests, pool, base, "3 threads, parallel collector", List.of("-Djacquard.threads=3", "-XX:+UseParallelGC"),
        "train");
    same(tests, pool, base, "8 threads, ZGC", List.of("-Djacquard.threads=8", "-XX:+UseZGC"), "train");
    for (int bits : new int[] {128, 256}) if (bits < BITS) {
      var narrow = start(pool, List.of("-Djacquard.simd.bits=" + bits), "check", "train");
      tests.add(DynamicTest.dynamicTest(bits + " bits hold", () -> assertEquals(List.of(), narrow.get().failed)));
      if (bits == 256) same(tests, pool, narrow, "256 bits on AVX2", List.of("-XX:UseAVX=2"), "train");
    }
    pool.shutdown();
    return tests.stream();
  }

  private static void same(List<DynamicTest> tests, ExecutorService pool, Future<Outcome> base, String name,
      List<String> flags, String... args) {
    var other = start(pool, flags, args);
    tests.add(DynamicTest.dynamicTest(name, () -> {
      assertEquals(List.of(), other.get().failed);
      assertTrue(other.get().digests.size() > 300, other.get().digests.size() + " digests");
      var differ = new ArrayList<String>();
      other.get().digests.forEach((what, digest) -> {
        try { if (!digest.equals(base.get().digests.get(what))) differ.add(what); } catch (Exception e) {
          throw new AssertionError(e);
        }
      });
      assertEquals(List.of(), differ);
    }));
  }

  private static Future<Outcome> start(ExecutorService pool, List<String> flags, String... args) {
    return pool.submit(() -> {
      var o = new Outcome(new LinkedHashMap<>(), new ArrayList<>());
      for (var line : Fork.run(flags, Digests.class, args)) {
        var parts = line.split("\t", 2);
        if (parts[0].equals("failed")) o.failed.add(parts[1]); else o.digests.put(parts[1], parts[0]);
      }
      return o;
    });
  }
}
