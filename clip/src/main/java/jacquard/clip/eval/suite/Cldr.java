package jacquard.clip.eval.suite;

import jacquard.clip.settings.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Names of emoji in other languages: Unicode's CLDR as the npm package `cldr-annotations-full` holds it.
final class Cldr {
  private Cldr() {}

  /// The names in a language by the English ones in lower case, for the emoji that have both.
  ///
  /// @param root where the package's folder lies, or itself; null where none is given
  /// @throws IOException saying what to fetch where it is not there
  static Map<String, String> names(Path root, String language) throws IOException {
    Map<String, String> english = read(root, "en"), other = read(root, language);
    var r = new HashMap<String, String>();
    english.forEach((emoji, name) -> {
      if (other.containsKey(emoji)) r.put(name.toLowerCase(Locale.ROOT), other.get(emoji));
    });
    return r;
  }

  /// Emoji → name.
  private static Map<String, String> read(Path root, String language) throws IOException {
    var places = root == null ? List.<Path>of() : List.of(root, root.resolve("cldr-annotations-full"),
        root.resolve("package"));
    var file = places.stream().map(p -> p.resolve("annotations").resolve(language).resolve("annotations.json"))
        .filter(Files::isRegularFile).findFirst().orElseThrow(() -> new IOException("names of emoji in " + language
        + " are CLDR's: give as --data the folder of its package (npm pack cldr-annotations-full; in it lies "
        + "annotations/" + language + "/annotations.json)"));
    var r = new HashMap<String, String>();
    if (Json.read(file).get("annotations") instanceof Map<?, ?> outer
        && outer.get("annotations") instanceof Map<?, ?> all)
      all.forEach((emoji, of) -> {
        if (of instanceof Map<?, ?> m && m.get("tts") instanceof List<?> names && !names.isEmpty())
          r.put(emoji.toString(), names.getFirst().toString());
      });
    if (r.isEmpty()) throw new IOException(file + " holds no names, expected annotations.annotations of emoji "
        + "with tts");
    return r;
  }
}
