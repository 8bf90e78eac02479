package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.cli.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// OpenCLIP's flags beside ours: what `openclip-flags.tsv` says of each is true of
/// `train --help`, and the table in `clip/README.md` says the same.
class FlagsTest {
  private static final Path ROOT = Files.exists(Path.of("clip")) ? Path.of("") : Path.of("..");
  private static final String BEGIN = "<!-- flags: written by FlagsTest -->\n", END = "<!-- end of flags -->";

  /// @param state `same`, `other` (ours has another name), `later` or `never`
  private record Flag(String group, String name, String usual, String state, String ours, String note) {
    String row() {
      var here = switch (state) {
        case "same" -> "same";
        case "other" -> "`" + ours + "`";
        case "later" -> "not yet";
        case "never" -> "will not be";
        default -> throw new IllegalArgumentException(name + " is " + state + ", expected same, other, later or never");
      };
      return "| `%s` | %s | %s | %s |".formatted(name, usual.isEmpty() ? "" : "`" + usual + "`", here, note);
    }
  }

  @Test void theTableIsTrue() throws Exception {
    var ours = ours();
    for (var f : flags()) {
      boolean here = ours.contains(f.state.equals("other") ? f.ours : f.name);
      assertEquals(Set.of("same", "other").contains(f.state), here,
          f.name + " is called " + f.state + " in openclip-flags.tsv; train --help "
          + (here ? "has it" : "has it not"));
    }
  }

  /// On a difference the table as it should be lies in `target/flags.md`.
  @Test void theReadmeHasTheTable() throws Exception {
    var readme = Files.readString(ROOT.resolve("clip/README.md"));
    int from = readme.indexOf(BEGIN), to = readme.indexOf(END);
    assertTrue(from >= 0 && to > from, "clip/README.md has no lines " + BEGIN.strip() + " and " + END);
    var table = table();
    var written = readme.substring(from + BEGIN.length(), to);
    if (!written.equals(table))
      Files.writeString(Files.createDirectories(ROOT.resolve("tests/target")).resolve("flags.md"), table);
    assertEquals(table, written, "clip/README.md, its table of flags: copy tests/target/flags.md into it");
  }

  /// Who gives one that is not here hears why.
  @Test void whyAFlagIsNotHere() throws IOException {
    for (var f : flags()) {
      if (f.state.equals("same")) continue;
      var e = Launcher.run("train", f.name, "1");
      assertEquals(2, e.status(), e.text());
      var last = e.text().lines().reduce((_, b) -> b).orElse("");
      assertTrue(last.contains(f.name) && last.contains(f.note) && last.contains("OpenCLIP"), last);
    }
    assertTrue(Launcher.run("train", "--workers=4").text().contains("OpenCLIP's --workers is no option here: "
        + "pictures are decoded on all cores. Leave it out"));
  }

  private static String table() throws IOException {
    var flags = flags();
    var counts = flags.stream().collect(Collectors.groupingBy(Flag::state, Collectors.counting()));
    var r = new StringBuilder(("Of %d flags %d are the same, %d have another name, %d are not there yet, %d will not "
        + "be.\n").formatted(flags.size(),
        counts.getOrDefault("same", 0L), counts.getOrDefault("other", 0L), counts.getOrDefault("later", 0L),
        counts.getOrDefault("never", 0L)));
    String group = null;
    for (var f : flags) {
      if (!f.group.equals(group))
        r.append("\n| ").append(group = f.group)
            .append(" | OpenCLIP's default | here | note |\n| --- | --- | --- | --- |\n");
      r.append(f.row()).append('\n');
    }
    return r.toString();
  }

  private static List<Flag> flags() throws IOException {
    var r = new ArrayList<Flag>();
    try (var in = Main.class.getResourceAsStream("openclip-flags.tsv")) {
      for (var line : new String(in.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8).lines().skip(1).toList()) {
        var c = line.split("\t", -1);
        assertEquals(6, c.length, line);
        r.add(new Flag(c[0], c[1], c[2], c[3], c[4], c[5]));
      }
    }
    assertEquals(r.size(), r.stream().map(Flag::name).distinct().count(), "a flag stands twice");
    return r;
  }

  /// The names in `train --help`: those that open a line, and those beside them.
  private static Set<String> ours() throws Exception {
    var help = Launcher.run("train", "--help");
    assertEquals(0, help.status());
    return Pattern.compile("(?m)(?:^\\s*(?:-\\w, )?|(?<=[a-z], ))(--[a-z0-9-]+)").matcher(help.text()).results()
        .map(m -> m.group(1)).collect(Collectors.toSet());
  }
}
