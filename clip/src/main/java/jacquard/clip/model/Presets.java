package jacquard.clip.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/// Models by name: OpenCLIP's registry as data.
public final class Presets {
  private static final JsonNode ALL = read();

  private Presets() {}

  private static JsonNode read() {
    try (var in = Presets.class.getResourceAsStream("presets.json")) { return new ObjectMapper().readTree(in); }
    catch (IOException e) { throw new UncheckedIOException(e); }
  }

  public static List<String> names() { return ALL.properties().stream().map(java.util.Map.Entry::getKey).toList(); }

  /// The config of a name; an unknown one is an error that names the nearest.
  public static ClipConfig of(String name) {
    var node = ALL.get(name);
    if (node == null) throw new IllegalArgumentException("no model \"" + name + "\"; near it are " + names().stream()
        .filter(n -> n.toLowerCase().startsWith(name.toLowerCase().substring(0, Math.min(4, name.length())))).limit(12).toList() + " (./jacquard models lists all)");
    return ClipConfig.of(node);
  }
}
