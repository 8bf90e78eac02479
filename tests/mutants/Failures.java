import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/// Runs tests by `Class` or `Class#method` and prints those that fail. The exit status is 1 if any did, 2 if none ran.
final class Failures implements TestExecutionListener {
  private int failed, ran;

  public static void main(String[] tests) throws IOException {
    var selected = new ArrayList<DiscoverySelector>();
    for (var test : tests) {
      var parts = test.split("#");
      selected.add(parts.length > 1 ? selectMethod(named(parts[0]) + "#" + parts[1]) : selectClass(named(parts[0])));
    }
    var listener = new Failures();
    LauncherFactory.create().execute(LauncherDiscoveryRequestBuilder.request().selectors(selected).build(), listener);
    System.exit(listener.failed > 0 ? 1 : listener.ran == 0 ? 2 : 0);
  }

  private static String named(String simple) throws IOException {
    var root = Path.of("target/test-classes");
    try (var all = Files.walk(root)) {
      var file = all.filter(p -> p.endsWith(simple + ".class")).findFirst().orElseThrow(() -> new IllegalArgumentException("there is no test " + simple));
      return root.relativize(file).toString().replace(".class", "").replace('/', '.');
    }
  }

  @Override public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (test.isTest()) ran++;
    if (result.getStatus() != TestExecutionResult.Status.FAILED) return;
    failed++;
    var where = test.getSource().map(s -> switch (s) {
      case MethodSource m -> m.getJavaClass().getSimpleName() + "." + m.getMethodName();
      case ClassSource c -> c.getJavaClass().getSimpleName();
      default -> test.getDisplayName();
    }).orElse(test.getDisplayName());
    System.out.println("\nFAILED " + where);
    result.getThrowable().ifPresent(t -> System.out.println(t));
  }
}
