package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.cli.Main;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;

/// The launcher as a user meets it: a command line in, a status and texts out; in this JVM, or in one of its own that
/// can be killed.
public final class Launcher {
  /// A model of a few thousand weights beside its token table.
  public static final String CONFIG = """
      {"embed_dim": 8, "vision_cfg": {"image_size": 16, "layers": 1, "width": 8, "head_width": 8, "patch_size": 8, "patch_dropout": 0.25},
       "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 8, "heads": 1, "layers": 1}}""";

  /// @param text of both streams
  public record Ended(int status, String text) {}

  private Launcher() {}

  public static Ended run(String... arguments) {
    PrintStream out = System.out, err = System.err;
    var all = new ByteArrayOutputStream();
    try (var to = new PrintStream(all, true, StandardCharsets.UTF_8)) {
      System.setOut(to);
      System.setErr(to);
      return new Ended(Main.run(arguments), all.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  /// A command that must fail: what it said, with `expected` in it and no stack trace.
  public static String fails(String expected, String... arguments) {
    var e = run(arguments);
    assertTrue(e.status() != 0, "it ended well: " + e.text());
    assertTrue(e.text().contains(expected), "expected \"" + expected + "\", found " + e.text());
    assertFalse(e.text().contains("\tat "), "a stack trace: " + e.text());
    return e.text();
  }

  /// In a JVM of its own, with this one's class path; `shell` is put before it.
  public static Process start(Path output, List<String> shell, String... arguments) throws IOException {
    var command = new ArrayList<>(shell);
    command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m",
        "-XX:TieredStopAtLevel=1", "--add-modules", "jdk.incubator.vector",
        "-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile())).start();
  }

  /// A folder of pictures, each of a colour, with captions beside them, and a config.
  public static Path pictures(Path folder, int count) throws IOException {
    Files.createDirectories(folder);
    for (int i = 0; i < count; i++) {
      var image = new BufferedImage(20, 20, BufferedImage.TYPE_INT_RGB);
      var g = image.createGraphics();
      g.setColor(Color.getHSBColor(i / (float) count, 1, 1));
      g.fillRect(0, 0, 20, 20);
      g.setColor(Color.WHITE);
      g.fillOval(i % 10, i / 10, 8, 8);
      g.dispose();
      ImageIO.write(image, "png", folder.resolve("p%02d.png".formatted(i)).toFile());
      Files.writeString(folder.resolve("p%02d.txt".formatted(i)), "colour number " + i + "\n");
    }
    return folder;
  }

  public static Path config(Path folder) throws IOException {
    return Files.writeString(folder.resolve("tiny.json"), CONFIG);
  }

  /// The options of a small run with evaluations and checkpoints at steps that do not coincide.
  public static String[] train(Path folder, Path pictures, String name, int steps) throws IOException {
    return train(folder, pictures, name, steps, 5);
  }

  public static String[] train(Path folder, Path pictures, String name, int steps, int save) throws IOException {
    return new String[] {"train", "--model", config(folder).toString(), "--train-data", pictures.toString(),
        "--val-data", pictures.toString(), "--batch-size", "8", "--steps", Integer.toString(steps),
        "--warmup", "2", "--val-steps", "7", "--save-steps", Integer.toString(save), "--logs",
        folder.resolve("runs").toString(), "--name", name};
  }
}
