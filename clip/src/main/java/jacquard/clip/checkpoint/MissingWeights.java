package jacquard.clip.checkpoint;

import jacquard.clip.model.Presets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// What to say where weights were looked for and none are.
public final class MissingWeights {
  /// The names of weights in a folder, in the order in which they are taken.
  static final List<String> FILES = List.of("open_clip_model.safetensors", "model.safetensors",
      "model.safetensors.index.json", "open_clip_model.safetensors.index.json",
      "open_clip_pytorch_model.bin", "pytorch_model.bin");
  private static final String WANTED =
      "Weights are a folder with open_clip_config.json and open_clip_model.safetensors";

  private MissingWeights() {}

  /// Of a path that is not there: a name of OpenCLIP's perhaps, or of a repository.
  public static IOException at(Path path) {
    var name = path.toString();
    if (Presets.names().contains(name))
      return new IOException(name + " is the name of a model, not of weights, and no such folder is here. "
        + (Presets.pretrained(name).isEmpty() ? WANTED : "Give --pretrained and a tag or a file; its tags are "
        + few(name, Presets.pretrained(name).keySet())));
    var models = Presets.names().stream().filter(n -> Presets.pretrained(n).containsKey(name)).toList();
    if (!models.isEmpty())
      return new IOException(name + " is OpenCLIP's name of published weights, and no such folder is here. Give the "
          + "model first, as " + models.getFirst() + " --pretrained " + name);
    if (name.startsWith("hf-hub:") || name.startsWith("http"))
      return new IOException(name + ": no such file or folder; of the hub, give hf-hub:ORG/NAME");
    if (name.matches("[A-Za-z0-9][\\w.-]*/[A-Za-z0-9][\\w.-]*"))
      return new IOException(name + ": no such file or folder; a repository of the hub is written hf-hub:" + name);
    return new IOException(name + ": no such file or folder. " + WANTED + ", as runs/emoji-1/last");
  }

  private static String few(String model, Collection<String> tags) {
    return tags.stream().limit(3).collect(Collectors.joining(", ")) + (tags.size() <= 3 ? ""
        : " and " + (tags.size() - 3) + " more (./jacquard models --tags " + model + ")");
  }

  /// Of a folder that holds none.
  static IOException in(Path folder, List<Path> several) {
    if (!several.isEmpty())
      return new IOException(folder + " holds several files of weights: give one of "
          + String.join(", ", several.stream().map(Path::toString).toList()));
    return new IOException(folder + ": no weights here, expected " + String.join(" or ", FILES)
        + elsewhere(folder).map(w -> "; " + w).orElse(""));
  }

  /// What would do in place of a folder without weights: they may lie one or two folders deeper, or in a form that is
  /// not read.
  public static Optional<String> elsewhere(Path folder) {
    if (holds(folder)) return Optional.empty();
    for (var last : List.of("last", "best"))
      if (holds(folder.resolve(last))) return Optional.of(last + "/ lies in it: give " + folder.resolve(last));
    try (var below = Files.walk(folder, 2); var here = Files.list(folder)) {
      var found = below.filter(f -> !f.equals(folder) && Files.isDirectory(f) && holds(f))
          .max(Comparator.naturalOrder());
      if (found.isPresent()) return Optional.of("there are weights in " + found.get() + ": give that folder");
      return here.map(f -> f.getFileName().toString()).filter(f -> f.matches("(?i).*\\.(safetensors|msgpack|h5)"))
          .sorted().findFirst()
          .map(f -> f.endsWith(".safetensors") ? f + " lies in it: name it open_clip_model.safetensors"
              : f + " lies in it, which is not read: take the .safetensors of the same repository, or write one in "
              + "Python with safetensors.torch.save_file");
    // what cannot be searched offers nothing
    } catch (IOException | UncheckedIOException unreadable) { return Optional.empty(); }
  }

  private static boolean holds(Path folder) { return FILES.stream().anyMatch(f -> Files.exists(folder.resolve(f))); }
}
