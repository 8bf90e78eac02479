package jacquard.clip.eval.captioning;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// Cuts a caption into words as the Penn Treebank does, in small letters and without punctuation, so that counts of
/// words agree with other tools. The rules are those that captions meet: clitics (`is n't`, `man 's`), abbreviations,
/// numbers, addresses, brackets by name.
public final class PennTreebank {
  private static final Set<String> PUNCTUATION =
      Set.of("''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";");
  private static final Map<String, String> NAMED = Map.ofEntries(Map.entry("(", "-lrb-"), Map.entry(")", "-rrb-"),
      Map.entry("[", "-lsb-"), Map.entry("]", "-rsb-"), Map.entry("{", "-lcb-"), Map.entry("}", "-rcb-"),
      Map.entry("\"", "''"), Map.entry("“", "``"), Map.entry("”", "''"), Map.entry("‘", "`"), Map.entry("’", "'"),
      Map.entry("…", "..."));
  /// Words that are two.
  private static final Map<String, String> TWO = Map.of("cannot", "can not", "gonna", "gon na", "gotta", "got ta",
      "wanna", "wan na", "gimme", "gim me", "lemme", "lem me", "'tis", "'t is", "'twas", "'t was",
      "d'ye", "d' ye", "y'all", "y' all");
  private static final String WORD = "[\\p{L}\\p{M}\\d_]";

  /// The first that matches wins.
  private static final Pattern TOKEN = Pattern.compile(String.join("|",
      "https?://[^\\s\"<>]+[^\\s\"<>.,;:!?)]",                                    // addresses
      "[\\w.+-]+@[\\w-]+(?:\\.[\\w-]+)+",
      "[\\w-]+(?:\\.[\\w-]+)*\\.(?:com|org|net|edu|gov)\\b(?:/[^\\s\"<>]*)?",
      "</?[A-Za-z!][^<>\\n]*>",
      "[#@]" + WORD + "+",
      "(?i:'(?:tis|twas)\\b)", "(?i:'n'|'n\\b|'\\d\\ds\\b)",
      "(?i:(?:mr|mrs|ms|dr|prof|st|jr|sr|vs|etc|mt|ft|inc|ltd|co|corp|gen|col|sgt|capt|lt|rev|hon|ave|blvd|rd"
          + "|fig|approx|dept)\\.)(?=\\s)",
      "(?:\\p{L}\\.){2,}",                                                         // U.S., p.m.
      "(?i:c\\+\\+|c#|f#)",
      "\\d+(?:[.,:/]\\d+)*(?:[\\p{L}]+)?(?:-" + WORD + "+)*",                     // 3:30, 1,000, 3/4, 5th
      "\\.\\d+",
      WORD + "+(?:[-/'’]" + WORD + "+)*",
      "[?!]+", "\\.{2,}", "-{2,}|[—–]", "''|``", "\\S"));
  private static final Pattern CLITIC = Pattern.compile("(?i)(.+?)(n't|'(?:s|m|d|re|ve|ll))");

  private PennTreebank() {}

  /// The words, a space between two.
  public static String words(String caption) {
    var r = new ArrayList<String>();
    var m = TOKEN.matcher(caption.replace('\n', ' '));
    while (m.find()) add(m.group().toLowerCase(Locale.ROOT), r);
    return String.join(" ", r);
  }

  private static void add(String token, List<String> to) {
    if (token.matches("-{2,}|[—–]")) token = "--";
    if (token.matches("\\.{2,}")) token = "...";
    token = NAMED.getOrDefault(token, token);
    if (PUNCTUATION.contains(token)) return;
    var plain = token.replace('’', '\'');
    if (TWO.containsKey(plain)) {
      to.addAll(List.of(TWO.get(plain).split(" ")));
      return;
    }
    var m = CLITIC.matcher(plain);
    if (!m.matches()) to.add(token);
    else {
      add(m.group(1), to);
      to.add(m.group(2));
    }
  }
}
