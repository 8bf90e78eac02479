package jacquard.tests.cli.messages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.tests.cli.Launcher;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is said where the memory of the JVM does not do.
class TooLittleMemoryTest {
  @TempDir Path folder;

  @Test void isSaidWithWhatWouldDo() throws Exception {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    assertEquals(0, Launcher.run(Launcher.train(folder, pictures, "base", 3)).status());
    var model = folder.resolve("runs/base/last").toString();
    var text = crowded("classify", model, pictures.resolve("p00.png").toString(), "--labels", "a,b");
    assertTrue(text.contains("out of memory") && text.contains("-Xmx") && text.contains("classify " + model), text);
    // pictures that take too much are left out, by name
    text = crowded("embed", model, pictures.toString(), "--out", folder.resolve("m").toString());
    assertTrue(text.contains("p00.png: takes more memory than there is") && text.contains("-Xmx"), text);
  }

  /// What a command says with a heap of 40 MB for pictures of 4000 × 4000.
  private String crowded(String... command) throws Exception {
    var all = new ArrayList<>(List.of(command));
    all.addAll(List.of("--force-image-size", "4000"));
    var out = folder.resolve(command[0] + ".txt");
    var p = Launcher.start(out, List.of("env", "_JAVA_OPTIONS=-Xmx40m"), all.toArray(String[]::new));
    assertTrue(p.waitFor(3, TimeUnit.MINUTES));
    var text = Files.readString(out);
    assertEquals(1, p.exitValue(), text);
    assertFalse(text.contains("\tat "), text);
    return text;
  }
}
