package jacquard.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Statements and comments have at most 120 columns; tables, which are literals, and text blocks at most 140.
class StyleTest {
  private static final int STATEMENT = 120, TABLE = 140;
  private static final Pattern LITERALS = Pattern.compile(
      "\\s*[-+]?(\\s*(\"(\\\\.|[^\"\\\\])*\"|'(\\\\.|[^'\\\\])+'|[-0-9a-fA-FxXLe.]+|[,{}()+_;]|//.*))*");

  @Test void linesAreNoWiderThanAllowed() throws IOException {
    var wide = new ArrayList<String>();
    int files = 0;
    for (var root : sources())
      try (var all = Files.walk(root)) {
        for (var f : all.filter(f -> f.toString().endsWith(".java")).toList()) {
          wide.addAll(wide(f));
          files++;
        }
      }
    assertTrue(files > 500, files + " files");
    assertEquals(List.of(), wide);
  }

  private static List<String> wide(Path file) throws IOException {
    var r = new ArrayList<String>();
    boolean block = false;
    int number = 0;
    for (var line : Files.readAllLines(file)) {
      number++;
      boolean within = block, comment = line.strip().startsWith("//");
      for (int at = line.indexOf("\"\"\""); at >= 0; at = line.indexOf("\"\"\"", at + 3)) block = !block;
      int columns = line.codePointCount(0, line.length());
      if (columns <= STATEMENT) continue;
      boolean table = within || block || !comment && LITERALS.matcher(line).matches();
      if (columns > TABLE || !table) r.add(file.getFileName() + ":" + number + " has " + columns);
    }
    return r;
  }

  /// The source folders of all modules, from the folder of this one.
  private static List<Path> sources() throws IOException {
    try (var modules = Files.list(Path.of("..").toRealPath())) {
      return modules.map(m -> m.resolve("src")).filter(Files::isDirectory).sorted().toList();
    }
  }
}
