package jacquard.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.kernels.cuda.driver.Emulation;
import jacquard.tensor.Scope;
import jacquard.tensor.op.Movement;
import jacquard.tests.Conformance;
import jacquard.tests.OpSpec;
import jacquard.tests.OpSpecs;
import jacquard.tests.Placement;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.TestAbortedException;

/// Every op's kernels under the memory, race and barrier checks, with threads forwards, backwards and shuffled: no report, and the same bits as without.
class ThreadOrderTest {
  private static Raw raw;

  @BeforeAll static void emulated() {
    Raw.emulationNeeded();
    raw = new Raw(3);
  }

  @AfterAll static void healed() { if (raw != null) raw.close(); }

  @TestFactory Stream<DynamicTest> sameBitsUnderTheChecks() {
    return OpSpecs.all().stream().filter(s -> !s.large() && !(s.op() instanceof Movement.View)).map(s -> DynamicTest.dynamicTest(s.name(), () -> {
      try { check(s); }
      catch (UnsupportedOperationException e) { throw new TestAbortedException(e.getMessage()); }
    }));
  }

  private static void check(OpSpec s) {
    var plain = run(s);
    Emulation.check(true);
    try {
      for (var order : Emulation.Order.values()) {
        Emulation.order(order);
        var found = run(s);
        for (int i = 0; i < plain.size(); i++) assertTrue(same(plain.get(i).values(), found.get(i).values()), order + " gives other bits: output " + i);
      }
    } finally {
      Emulation.check(false);
      Emulation.order(Emulation.Order.FORWARD);
    }
  }

  private static List<Conformance.Result> run(OpSpec s) {
    try (var _ = Scope.open(raw.device)) { return new Conformance(raw.device).run(s.op(), s.draw(1), Placement.DENSE); }
  }

  /// Which NaN it is depends on the compiler.
  private static boolean same(double[] a, double[] b) { return Arrays.equals(a, b); }
}
