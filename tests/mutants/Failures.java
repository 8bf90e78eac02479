import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
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

  public static void main(String[] tests) throws Exception {
    var selected = new ArrayList<DiscoverySelector>();
    for (var test : tests) {
      var parts = test.split("#");
      var type = named(parts[0]);
      if (parts.length == 1) selected.add(selectClass(type));
      else {
        var methods = Arrays.stream(type.getDeclaredMethods()).filter(m -> m.getName().equals(parts[1])).toList();
        if (methods.size() != 1) throw new IllegalArgumentException(methods.size() + " tests " + test);
        selected.add(selectMethod(type, methods.getFirst()));
      }
    }
    var listener = new Failures();
    LauncherFactory.create().execute(LauncherDiscoveryRequestBuilder.request().selectors(selected).build(), listener);
    System.exit(listener.failed > 0 ? 1 : listener.ran == 0 ? 2 : 0);
  }

  private static Class<?> named(String simple) throws IOException, ClassNotFoundException {
    var root = Path.of("target/test-classes");
    try (var all = Files.walk(root)) {
      var file = all.filter(p -> p.endsWith(simple + ".class")).findFirst()
          .orElseThrow(() -> new IllegalArgumentException("there is no test " + simple));
      return Class.forName(root.relativize(file).toString().replace(".class", "").replace('/', '.'));
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
