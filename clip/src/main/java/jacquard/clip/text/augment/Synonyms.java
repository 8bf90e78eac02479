package jacquard.clip.text.augment;

import jacquard.tensor.Random;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/// English words of equal meaning, from WordNet 3.1 (`clip/src/build/synonyms` makes the table). A word has those of
/// its first sense, as far as texts use them. Colours, numbers, names and words of no meaning of their own stay; so do
/// words in another form than the table's, but for regular plurals. At most one word of five changes.
public final class Synonyms {
  private static final String TABLE = "synonyms.txt.gz";
  private static final int ONE_OF = 5;
  /// Words that stand alone.
  private static final Pattern WORD = Pattern.compile("(?<![\\p{L}\\p{N}'’_-])[A-Za-z]+(?![\\p{L}\\p{N}'’_-])");

  /// @param noun  whether it has a regular plural
  private record Entry(boolean noun, List<String> synonyms) {}

  /// @param draw what it was drawn by
  private record Change(int from, int to, String word, double draw) {}

  private static final class Shipped {
    static final Synonyms ONE = read();

    private static Synonyms read() {
      try (var in = new BufferedReader(new InputStreamReader(new GZIPInputStream(
          Synonyms.class.getResourceAsStream(TABLE)), StandardCharsets.UTF_8))) {
        return new Synonyms(in.lines().toList());
      } catch (IOException e) { throw new UncheckedIOException(e); }
    }
  }

  private final Map<String, Entry> entries = new HashMap<>();

  /// @param lines a word, its part of speech (`n` of a noun with a regular plural), its synonyms
  Synonyms(List<String> lines) {
    for (var l : lines) {
      var f = l.split(" ");
      entries.put(f[0], new Entry(f[1].equals("n"), List.of(f).subList(2, f.length)));
    }
  }

  /// The table that comes with the library.
  public static Synonyms table() { return Shipped.ONE; }

  public int size() { return entries.size(); }

  /// The words that may stand for a word in small letters; empty where there are none.
  public List<String> of(String word) {
    var e = entries.get(word);
    if (e != null) return e.synonyms;
    for (var one : singulars(word)) {
      var noun = entries.get(one);
      if (noun != null && noun.noun && plural(one).equals(word))
        return noun.synonyms.stream().map(Synonyms::plural).toList();
    }
    return List.of();
  }

  private static List<String> singulars(String word) {
    if (!word.endsWith("s") || word.length() < 4) return List.of();
    var r = new ArrayList<String>();
    if (word.endsWith("ies")) r.add(word.substring(0, word.length() - 3) + "y");
    if (word.endsWith("es")) r.add(word.substring(0, word.length() - 2));
    r.add(word.substring(0, word.length() - 1));
    return r;
  }

  private static String plural(String word) {
    if (word.matches(".*(s|x|z|ch|sh)")) return word + "es";
    return word.matches(".*[^aeiou]y") ? word.substring(0, word.length() - 1) + "ies" : word + "s";
  }

  /// The caption with some words replaced, each with probability `p` as long as there are not too many. A capital
  /// letter within a caption makes a name; that of the first word stays.
  public String replace(String caption, double p, Random key) {
    var changes = new ArrayList<Change>();
    int words = caption.strip().split("\\s+").length, at = 0;
    var m = WORD.matcher(caption);
    for (boolean first = true; m.find(); first = false, at++) {
      var found = m.group();
      var small = found.substring(0, 1).toLowerCase(java.util.Locale.ROOT) + found.substring(1);
      if (!small.equals(found) && !first) continue;
      var synonyms = of(small);
      if (synonyms.isEmpty() || key.uniform(2L * at) >= p) continue;
      var word = synonyms.get(key.below(2L * at + 1, synonyms.size()));
      if (!small.equals(found)) word = word.substring(0, 1).toUpperCase(java.util.Locale.ROOT) + word.substring(1);
      changes.add(new Change(m.start(), m.end(), word, key.uniform(2L * at)));
    }
    int most = Math.ceilDiv(words, ONE_OF);
    var r = new StringBuilder(caption);
    changes.stream().sorted(Comparator.comparingDouble(Change::draw)).limit(most)
        .sorted(Comparator.comparingInt(Change::from).reversed()).forEach(c -> put(r, c));
    return r.toString();
  }

  /// With the article before it, where that was a or an.
  private static void put(StringBuilder caption, Change c) {
    boolean before = vowel(caption.charAt(c.from)), now = vowel(c.word.charAt(0));
    caption.replace(c.from, c.to, c.word);
    var head = caption.substring(0, c.from);
    if (before == now) return;
    if (!before && head.matches("(?s)(.*\\s)?[aA] ")) caption.insert(c.from - 1, 'n');
    else if (before && head.matches("(?s)(.*\\s)?[aA]n ")) caption.deleteCharAt(c.from - 2);
  }

  private static boolean vowel(char c) { return "aeiouAEIOU".indexOf(c) >= 0; }
}
