import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// What is drawn: Unicode's emoji with their English names, flags included, without skin tones. The packages name them
/// differently; here they meet, by code point where a set has code points, else by name.
final class Concepts {
  record Concept(String key, String caption, String group) {
    /// Of a country, a region or an organisation.
    boolean isFlag() { return key.startsWith("flag-") && group.equals("Flags"); }
  }

  /// How sure a name is, the surest first.
  enum By { CODE, ALIAS, NAME, FLAG, OTHER_SETS_NAME }

  record Match(Concept concept, By by) {}

  private final Map<String, Concept> byKey = new TreeMap<>(), byCode = new HashMap<>();
  private final Map<String, Set<Concept>> names = new HashMap<>();
  private final Map<String, Concept> aliases = new HashMap<>();

  /// @param unicode the package unicode-emoji-json
  /// @param aliases lines of set (`*`: any), name, concept
  static Concepts read(Tarball unicode, Path aliases) throws IOException {
    var c = new Concepts();
    for (var e : unicode.json("data-by-emoji.json").entrySet()) {
      var of = Json.object(e.getValue());
      c.add(e.getKey(), (String) of.get("slug"), (String) of.get("name"), (String) of.get("group"));
    }
    for (var e : unicode.json("data-emoji-components.json").entrySet())
      c.add((String) e.getValue(), e.getKey(), e.getKey().replace('_', ' '), "Component");
    for (var line : Files.readAllLines(aliases).stream().skip(1).toList()) {
      var f = line.split("\t");
      if (f.length != 3 || !c.byKey.containsKey(f[2]))
        throw new IOException(aliases + ": \"" + line + "\", expected set, name and a concept");
      if (c.aliases.put(f[0] + "\t" + f[1], c.byKey.get(f[2])) != null)
        throw new IOException(aliases + ": \"" + line + "\" stands there twice");
    }
    return c;
  }

  private void add(String emoji, String slug, String name, String group) {
    var concept = new Concept(key(slug), name.toLowerCase(Locale.ROOT), group);
    var code = String.join("-", emoji.codePoints().mapToObj(Integer::toHexString).toList());
    if (byKey.put(concept.key, concept) != null || byCode.put(code(code), concept) != null)
      throw new IllegalStateException(slug + " or its code point stands there twice");
  }

  Collection<Concept> all() { return byKey.values(); }

  Optional<Concept> ofCode(String code) { return Optional.ofNullable(byCode.get(code(code))); }

  /// From here on `name` is known to mean the emoji of this code point; a name that sets use for different emoji means
  /// none.
  void learn(String name, String code) {
    ofCode(code).ifPresent(c -> names.computeIfAbsent(key(name), _ -> new HashSet<>()).add(c));
  }

  /// @param code the code point that the set gives this name, or null
  Optional<Match> find(String set, String name, String code) {
    var key = key(name);
    if (code != null && ofCode(code).isPresent()) return match(ofCode(code).get(), By.CODE);
    var alias = aliases.getOrDefault(set + "\t" + key, aliases.get("*\t" + key));
    if (alias != null) return match(alias, By.ALIAS);
    if (byKey.containsKey(key)) return match(byKey.get(key), By.NAME);
    var flag = byKey.get(key.replaceFirst("^(flag-for-flag|flag-for|flag|)-?", "flag-").replace("-and-", "-"));
    if (flag != null) return match(flag, By.FLAG);
    var known = names.getOrDefault(key, Set.of());
    return known.size() == 1 ? match(known.iterator().next(), By.OTHER_SETS_NAME) : Optional.empty();
  }

  private static Optional<Match> match(Concept concept, By by) { return Optional.of(new Match(concept, by)); }

  /// Lower case, words joined by one hyphen: the form in which names meet.
  static String key(String name) {
    return Normalizer.normalize(name, Normalizer.Form.NFD).replaceAll("\\p{M}", "").toLowerCase(Locale.ROOT)
        .replaceAll("['’.]", "").replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
  }

  /// Without joiners, variation selectors and leading zeros, which sets write or leave out as they like.
  private static String code(String code) {
    return code.toLowerCase(Locale.ROOT).replaceAll("(^|-)0+", "$1").replaceAll("-?(fe0f|200d)", "")
        .replaceAll("^-", "");
  }
}
