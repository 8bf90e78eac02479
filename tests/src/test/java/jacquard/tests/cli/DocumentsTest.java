package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.cli.Main;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the documents show compiles, and the example runs.
class DocumentsTest {
  private static final Path ROOT = Path.of("").toAbsolutePath().getFileName().toString().equals("tests") ? Path.of("..")
      : Path.of("");

  private static void compile(Path classes, List<Path> sources) {
    var said = new ByteArrayOutputStream();
    var arguments = new ArrayList<>(List.of("-d", classes.toString(), "-cp", System.getProperty("java.class.path"),
        "-Xlint:-options"));
    sources.forEach(s -> arguments.add(s.toString()));
    var to = new PrintStream(said, true, StandardCharsets.UTF_8);
    assertEquals(0, ToolProvider.findFirst("javac").orElseThrow().run(to, to, arguments.toArray(String[]::new)),
        said.toString(StandardCharsets.UTF_8));
  }

  @Test void theExampleRuns(@TempDir Path folder) throws Exception {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 8);
    assertEquals(0, Launcher.run(Launcher.train(folder, pictures, "model", 4)).status());
    var source = ROOT.resolve("docs/example/src/main/java/example");
    try (var all = Files.list(source)) { compile(folder.resolve("classes"), all.toList()); }
    var out = System.out;
    var said = new ByteArrayOutputStream();
    try (var loader = new URLClassLoader(new URL[] {folder.resolve("classes").toUri().toURL()});
        var to = new PrintStream(said, true, StandardCharsets.UTF_8)) {
      System.setOut(to);
      loader.loadClass("example.Example").getMethod("main", String[].class)
          .invoke(null, (Object) new String[] {folder.resolve("runs/model/last").toString()});
    } finally { System.setOut(out); }
    var text = said.toString(StandardCharsets.UTF_8);
    assertTrue(text.contains("texts: 3 × 8"), text);
    // x·σ(1.702x) at −1, 0, 1, and σ + 1.702x·σ(1 − σ) there
    assertTrue(text.contains("-0.1542 0.0000 0.8458, its slope -0.0678 0.5000 1.0678"), text);
  }

  /// Every block of Java in the documents, each within a method, records beside it.
  @Test void snippetsCompile(@TempDir Path folder) throws IOException {
    int found = 0;
    var sources = new ArrayList<Path>();
    try (var all = Files.walk(ROOT)) {
      for (var file : all.filter(p -> p.toString().endsWith(".md") && !p.toString().contains("target")).sorted()
          .toList()) {
        var m = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(file));
        while (m.find()) {
          var name = "Snippet" + found++;
          boolean declaration = m.group(1).strip().startsWith("record ") || m.group(1).strip().startsWith("public ");
          var body = declaration ? m.group(1).replaceFirst("^\\s*public ", "")
              : "static void run() throws Exception {\n" + m.group(1) + "}\n";
          sources.add(Files.writeString(folder.resolve(name + ".java"), """
              import jacquard.autograd.*; import jacquard.clip.*; import jacquard.clip.eval.*;
              import jacquard.clip.image.*; import jacquard.tensor.*; import jacquard.tensor.op.*;
              import java.nio.file.*; import java.util.*;
              class %s {
              %s}
              """.formatted(name, body)));
        }
      }
    }
    assertTrue(found > 0, "no snippet under " + ROOT.toAbsolutePath());
    compile(folder.resolve("classes"), sources);
  }

  /// Every command of the documents is understood, pasted as it stands: words for the reader follow a `#`.
  @Test void commandsAreUnderstood() throws IOException {
    int found = 0;
    try (var all = Files.walk(ROOT)) {
      for (var file : all.filter(p -> p.toString().endsWith(".md") && !p.toString().contains("target")).sorted()
          .toList()) {
        var block = Pattern.compile("```(\\w*)\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(file));
        while (block.find()) {
          if (!List.of("", "sh", "bash").contains(block.group(1))) continue;
          for (var line : block.group(2).replaceAll(" *\\\\\n *", " ").split("\n")) {
            var command = Pattern.compile("^(?:[^#]* )?\\./jacquard +([^#]*?) *(?:#.*)?$").matcher(line);
            if (!command.find()) continue;
            found++;
            assertFalse(command.group(1).strip().matches(".*\\S {3,}\\S.*"),
                file + ": words for the reader without a #: " + line);
            var words = Pattern.compile("'[^']*'|\"[^\"]*\"|\\S+").matcher(command.group(1)).results()
                .map(w -> w.group().replaceAll("^['\"]|['\"]$", "")).toArray(String[]::new);
            assertDoesNotThrow(() -> Main.parse(words), file + ": " + line);
          }
        }
      }
    }
    assertTrue(found > 30, found + " commands under " + ROOT.toAbsolutePath());
  }
}
