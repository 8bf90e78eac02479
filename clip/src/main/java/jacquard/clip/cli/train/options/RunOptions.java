package jacquard.clip.cli.train.options;

import jacquard.clip.train.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import picocli.CommandLine.Option;

/// The folder of a run.
public final class RunOptions {
  private static final String LATEST = "latest";

  @Option(names = "--logs", paramLabel = "FOLDER", description = "Folder of all runs (default: ${DEFAULT-VALUE}).")
  Path logs = Path.of("runs");
  @Option(names = "--name", paramLabel = "NAME",
      description = "The run's folder within --logs (default: the model's name and the first number that is free).")
  String name;
  @Option(names = "--debug",
      description = "Says more: requests to the hub, what was passed over, where an error arose.")
  boolean debug;                                                                 // seen by Main
  @Option(names = "--resume", arity = "0..1", fallbackValue = LATEST, paramLabel = "RUN",
      description = {"Goes on with a run from its last checkpoint, with the options that it began with; options given "
      + "now win over them. RUN is its folder, or latest, the default: "
      + "that of --name, or the one in --logs that was saved last."}) public String resume;

  @Option(names = "--dry-run", description = "Says what a step takes of each rank, by --zero: bytes of weights, "
      + "moments and of the step, the largest batch that fits, operations and launches. Trains nothing and "
      + "allocates nothing.")
  public boolean dry;

  /// The folder to write to.
  public Path folder(String model) throws IOException {
    if (resume != null) return resumed();
    if (name != null) return named();
    var base = Path.of(model.replaceFirst("^hf-hub:", "")).getFileName().toString().replace(".json", "");
    for (int i = 1; ; i++) if (!Files.exists(logs.resolve(base + "-" + i))) return logs.resolve(base + "-" + i);
  }

  /// The folder of --name, which lies in --logs.
  private Path named() {
    Path all = logs.toAbsolutePath().normalize(), folder = all.resolve(name).normalize();
    if (name.isBlank() || !folder.startsWith(all) || folder.equals(all))
      throw new IllegalArgumentException("--name \"" + name + "\", expected the name of a folder in " + logs
          + " (--logs)");
    return logs.resolve(name);
  }

  /// The folder of the run to go on with.
  public Path resumed() throws IOException {
    if (!resume.equals(LATEST)) {
      var given = Path.of(resume);
      return Files.isRegularFile(given) ? given.toAbsolutePath().getParent() : given;
    }
    if (name != null) return named();
    if (!Files.isDirectory(logs))
      throw new IOException("--resume: " + logs + " is no folder of runs; name one with --logs, or the run with "
          + "--resume RUN");
    try (var all = Files.list(logs)) {
      var saved = new TreeMap<Long, Path>();
      for (var f : all.sorted().toList())
        RunFolder.saved(f).ifPresent(s -> saved.put(s.toFile().lastModified(), f));
      return Optional.ofNullable(saved.lastEntry()).map(Map.Entry::getValue)
          .orElseThrow(() -> new IOException("--resume: " + logs + " holds no run with a checkpoint; name the run "
              + "with --name"));
    }
  }
}
