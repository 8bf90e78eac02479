package jacquard.tests.clip.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ImageConfig;
import jacquard.clip.model.Presets;
import jacquard.clip.model.TextConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// The table of families in `clip/README.md` says what the registry and the recorded cases say. Its speeds are measured
/// (`bench/run`) and kept as they are.
class FamilyTableTest {
  private static final String BEGIN = "<!-- families: written by FamilyTableTest -->\n",
      END = "<!-- end of families -->";
  private static final Path README = Path.of("../clip/README.md");
  private static final Path CASES = Path.of("src/main/resources/fixtures/models");

  private static final class Count {
    private int built, all, tags, tagsBuilt, cases;
  }

  private final Map<String, Count> counts = new TreeMap<>();

  private Count of(String family) { return counts.computeIfAbsent(family, _ -> new Count()); }

  /// The families of a model: of its towers, or its own.
  private static String[] families(ClipConfig c) {
    if (!c.other().equals(ClipConfig.Other.NONE) && !c.captions()) return new String[] {"whole: " + c.family()};
    var image = "image: " + with(c, c.vision(), TextConfig.DEFAULTS).family();
    var text = "text: " + (c.text().custom() ? with(c, ImageConfig.DEFAULTS, c.text()).family() : "CLIP text");
    return c.captions() ? new String[] {image, text, "whole: " + c.family()} : new String[] {image, text};
  }

  private static ClipConfig with(ClipConfig c, ImageConfig image, TextConfig text) {
    return new ClipConfig(c.embedding(), image, text, false, 0, OptionalDouble.empty(), false, false,
        ClipConfig.Other.NONE);
  }

  @Test void theTableIsTrue() throws IOException {
    for (var name : Presets.names()) {
      var c = Presets.of(name);
      boolean built = c.unsupported().isEmpty();
      int tags = Presets.pretrained(name).size();
      for (var f : families(c)) {
        of(f).all++;
        of(f).tags += tags;
        if (built) {
          of(f).built++;
          of(f).tagsBuilt += tags;
        }
      }
    }
    try (var all = Files.list(CASES)) {
      for (var folder : all.filter(Files::isDirectory).toList())
        for (var f : families(ClipConfig.read(folder.resolve("config.json")))) of(f).cases++;
    }
    var readme = Files.readString(README);
    int from = readme.indexOf(BEGIN), to = readme.indexOf(END);
    assertTrue(from >= 0 && to > from, README + " has no lines " + BEGIN.strip() + " and " + END);
    var written = readme.substring(from + BEGIN.length(), to);
    var table = table(speeds(written));
    if (!table.equals(written))
      Files.writeString(Files.createDirectories(Path.of("target")).resolve("families.md"), table);
    assertEquals(table, written, "clip/README.md, its table of families: copy tests/target/families.md into it");
  }

  private static Map<String, String> speeds(String table) {
    var r = new LinkedHashMap<String, String>();
    table.lines().map(l -> l.split("\\|", -1)).filter(c -> c.length == 7)
        .forEach(c -> r.put(c[1].strip(), c[5].strip()));
    return r;
  }

  private String table(Map<String, String> speeds) {
    var r = new StringBuilder("| family | configurations built | published weights | recorded cases | speed |\n"
        + "| --- | --- | --- | --- | --- |\n");
    counts.forEach((name, c) -> r.append("| %s | %s | %s | %s | %s |\n".formatted(name, share(c.built, c.all),
        share(c.tagsBuilt, c.tags), c.cases == 0 ? "" : "" + c.cases, speeds.getOrDefault(name, ""))));
    return r.toString();
  }

  private static String share(int part, int all) {
    return all == 0 ? "" : part == all ? "" + all : part + " of " + all;
  }
}
