package jacquard.tests.roofline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.kernels.cuda.CudaDevice;
import jacquard.kernels.cuda.driver.Driver;
import jacquard.kernels.cuda.driver.Emulation;
import jacquard.kernels.cuda.driver.Installed;
import jacquard.tensor.Tensor;
import jacquard.tests.cuda.CountingDriver;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/// That `bench/gpu` would fill in the whole last column of the table of kernels: what it runs reaches every kernel,
/// small on the emulation, and at a GPU's sizes on a driver that runs nothing.
class RooflinesTest {
  private static final Path FORMULAS = Path.of("../cuda-src/rooflines.tsv");

  private static TreeSet<String> shipped() { return new TreeSet<>(Rooflines.shipped()); }

  /// Each with a device that it times.
  private record Machine(List<CudaDevice> devices, List<Stopwatch.Timed> watches) implements AutoCloseable {
    Machine() { this(new ArrayList<>(), new ArrayList<>()); }
    void add(Driver driver, int index) {
      var watch = new Stopwatch(driver);
      devices.add(new CudaDevice(new Installed(watch, null, true), index));
      watches.add(watch.context(index));
    }
    Rooflines rooflines(boolean once, Function<Row, List<Tensor>> inputs) throws Exception {
      return new Rooflines(devices, watches, Roofline.read(FORMULAS), once, inputs);
    }
    @Override public void close() { devices.forEach(CudaDevice::close); }       // fails where something still lives
  }

  /// With the checks of memory and races on, each kernel that is repeated on a GPU launched twice, collectives on two
  /// devices and on four.
  @Test void theRehearsalReachesEveryKernel() throws Exception {
    if (!Emulation.on()) throw new TestAbortedException("this is about the emulation");
    Emulation.check(true);
    try (var machine = new Machine()) {
      for (int i = 0; i < 4; i++) machine.add(Installed.here().driver(), i);
      for (var ranks : List.of(2, 4)) {
        var all = machine.rooflines(true, Rooflines::drawn);
        for (var row : Rows.of(true)) if (row.ranks() || ranks == 2) all.run(row, row.ranks() ? ranks : 1);
        var expected = shipped();
        if (ranks == 4) expected.removeIf(k -> !Rooflines.collective(k));
        assertEquals(expected, all.found().keySet());
      }
    } finally {
      Emulation.check(false);
    }
  }

  /// At the sizes of a GPU: each kernel is one row's, each thing said of kernels is of some, and nothing is said to
  /// move more than twice what there is (an update in place crosses the bus twice) or, of what a row is about, less
  /// than half of its inputs. Slopes of a loss are written tile after tile to one place; what finishes a product reads
  /// its partial sums alone.
  @Test void aGPUWouldReachEveryKernel() throws Exception {
    needed();
    var drivers = List.of(new CountingDriver(), new CountingDriver());
    try (var machine = new Machine()) {
      for (var d : drivers) machine.add(d, 0);
      var driver = drivers.getFirst();
      var reached = new TreeSet<String>();
      double[] in = new double[1], seconds = new double[1];
      long[] before = new long[1];
      for (var row : Rows.of(false)) {
        var all = machine.rooflines(true, r -> {
          in[0] = r.in().stream().mapToDouble(t -> t.shape().size() * t.dtype().bytes()).sum();
          return r.in().stream().map(Tensor::empty).toList();
        });
        driver.reset();
        before[0] = driver.held();
        all.run(row, row.ranks() ? 2 : 1);
        double there = driver.peak() - before[0], moved = 0;
        var found = all.found();
        for (var f : found.entrySet()) {
          var kernel = f.getKey();
          assertTrue(reached.add(kernel), kernel + " is in two rows");
          double bytes = f.getValue().bytes();
          assertTrue(f.getValue().least() > 0, kernel);
          if (!kernel.contains("slopes"))
            assertTrue(bytes <= 2 * there,
                "%s is said to move %,.0f bytes, there are %,.0f".formatted(kernel, bytes, there));
          moved += bytes;
          var r = f.getValue().roofline();
          if (r.shared()) seconds[0] += f.getValue().least() * 100 / Double.parseDouble(r.expected());
        }
        boolean reads = found.entrySet().stream()
            .anyMatch(f -> f.getValue().roofline().shared() && !f.getKey().contains("finish"));
        if (reads)
          assertTrue(2 * moved >= in[0],
              "%s are said to move %,.0f bytes, their inputs have %,.0f".formatted(found.keySet(), moved, in[0]));
        var dead = new HashSet<>(row.kernels());
        found.keySet().forEach(k -> dead.remove(row.of(k)));
        assertTrue(dead.isEmpty(), "no kernel that is launched is one of " + dead);
      }
      assertEquals(shipped(), reached);
      int rows = Rows.of(false).size();
      assertTrue(rows * Rooflines.BUDGET <= 90e9, rows + " rows");
      System.out.printf("%d rows; every kernel once at its expected share: %.3f s%n", rows, seconds[0]);
    }
  }

  /// A launch's own time, however often it was repeated; of several launches of a kernel in one op the sum: 70 pairs
  /// are 4 chunks of 20 rows, from either side.
  @Test void eachLaunchHasItsOwnTime() throws Exception {
    needed();
    try (var machine = new Machine()) {
      for (var d : List.of(new CountingDriver(), new CountingDriver())) machine.add(d, 0);
      var all = machine.rooflines(false, Rooflines::drawn);
      for (var row : Rows.of(true)) all.run(row, row.ranks() ? 2 : 1);
      assertEquals(shipped(), all.found().keySet());
      var launches = Map.of("unary_f32", 1, "attention_backward_keys_72", 1, "all_reduce_f32", 1, "sort_scan", 2,
          "contrastive_sigmoid_slopes_f32", 8);
      launches.forEach((k, n) -> assertEquals(n * CountingDriver.LAUNCH, all.found().get(k).ms(), 1e-9, k));
    }
  }

  private static void needed() {
    if (RooflinesTest.class.getClassLoader().getResource("jacquard/cuda/kernels.txt") == null)
      throw new TestAbortedException("no kernels were built");
  }

  /// What is left out is there, and is none that ops launch.
  @Test void whatIsLeftOutExists() {
    needed();
    var modules = new TreeSet<String>();
    for (var line : Installed.kernels().split("\n")) modules.add(line.split(" ")[1]);
    assertTrue(modules.containsAll(Rooflines.LEFT_OUT.keySet()), modules::toString);
  }

  @Test void formulas() {
    var names = Map.of("n", 3.0, "d", 5.0, "ranks", 2.0);
    assertEquals(4 * (5 * 3 * 5 + 4 * 9) + 3, Formula.value("4·(5·n·d + 4·n²) + n", names));
    assertEquals(15, Formula.value("(ranks − 1)·n·d", names));
    assertEquals(0, Formula.value("0", names));
    for (var wrong : List.of("4·", "(n", "n n)", "–", "x·n", "n)"))
      assertThrows(IllegalArgumentException.class, () -> Formula.value(wrong, names), wrong);
  }

  /// A kernel twice as slow as its roofline has half of it; one that is over in no time, or of which no share is
  /// expected, microseconds.
  @Test void values() {
    var list = List.of("60", "–").stream().map(e -> new Roofline(java.util.regex.Pattern.compile("k"), "0", "n", e, ""))
        .toList();
    assertEquals("50", new Rooflines.Found(list.get(0), Map.of("n", 3e9), 1, 2).value());
    assertEquals("25", new Rooflines.Found(list.get(0), Map.of("n", 3e8), 5, 2).value());
    assertEquals("4.0 µs", new Rooflines.Found(list.get(0), Map.of("n", 3e6), 1, 4e-3).value());
    assertEquals("2000.0 µs", new Rooflines.Found(list.get(1), Map.of("n", 3e9), 1, 2).value());
  }
}
