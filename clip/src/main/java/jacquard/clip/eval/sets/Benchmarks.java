package jacquard.clip.eval.sets;

import jacquard.clip.settings.Nearest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The tables of data sets and suites: `sets.tsv` and `suites.tsv` among the resources.
public final class Benchmarks {
  private static final Map<String, String[]> ROWS = new LinkedHashMap<>();
  private static final Map<String, List<Member>> SUITES = new LinkedHashMap<>();
  /// What may stand before a name: `vtab/pets` is `pets` among VTAB's.
  private static final List<String> PREFIXES = List.of("wds/", "vtab/");

  static {
    for (var f : table("sets.tsv")) ROWS.put(f[0], f);
    for (var f : table("suites.tsv")) SUITES.computeIfAbsent(f[0], _ -> new ArrayList<>()).add(new Member(f[2], f[1]));
  }

  /// A set of a suite.
  ///
  /// @param group within it; `-` for none
  public record Member(String set, String group) {}

  private Benchmarks() {}

  private static List<String[]> table(String name) {
    return resource(name).lines().skip(1).map(l -> l.split("\t")).toList();
  }

  static String resource(String name) {
    try (var in = Benchmarks.class.getResourceAsStream(name)) {
      if (in == null) throw new IllegalStateException("the jar lacks the table " + name);
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// All sets, in the table's order.
  public static List<Benchmark> all() { return ROWS.keySet().stream().map(Benchmarks::of).toList(); }

  public static List<String> suites() { return List.copyOf(SUITES.keySet()); }

  /// The set of a name, with or without a prefix.
  ///
  /// @throws IllegalArgumentException for a name that is none, with the nearest one
  public static Benchmark of(String name) {
    return find(name).orElseThrow(() -> new IllegalArgumentException(name + " is no data set that is known"
        + Nearest.of(name, ROWS.keySet()).map(n -> ". Did you mean " + n + "?")
            .orElse("; --list lists them. A set of your "
        + "own is a folder with classnames.txt and zeroshot_classification_templates.txt")));
  }

  /// The set of a name, or of the user's own in a folder.
  ///
  /// @throws IllegalArgumentException for what is neither
  public static Benchmark asked(String nameOrFolder) {
    return find(nameOrFolder).isEmpty() && Files.isDirectory(Path.of(nameOrFolder)) ? Benchmark.own(nameOrFolder)
        : of(nameOrFolder);
  }

  public static Optional<Benchmark> find(String name) {
    var bare = name;
    for (var p : PREFIXES) if (bare.startsWith(p)) bare = bare.substring(p.length());
    var f = ROWS.containsKey(name) ? ROWS.get(name) : ROWS.get(bare);
    return f == null ? Optional.empty() : Optional.of(Benchmark.of(name, f));
  }

  /// The sets of a suite.
  ///
  /// @throws IllegalArgumentException for a name that is none
  public static List<Member> suite(String name) {
    var r = SUITES.get(name);
    if (r == null) throw new IllegalArgumentException("--suite " + name + " is none of "
        + String.join(", ", SUITES.keySet()));
    return List.copyOf(r);
  }
}
