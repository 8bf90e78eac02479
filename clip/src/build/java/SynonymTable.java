import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipFile;

/// Writes the table of synonyms from WordNet 3.1: `java SynonymTable.java WORDNET.jar OUT`, see
/// `clip/src/build/synonyms`.
///
/// A line a word: the word, its part of speech, its synonyms, apart by blanks. A noun whose plural is a word of its
/// own, as goods, is N. The rules: a word is looked up
/// as a noun, adjective, verb, adverb, and the first that knows it counts; of it the first sense alone; of that sense
/// the words that WordNet's texts use, or the only other word. Single words of small letters only; no stop words,
/// colours, numbers or names.
final class SynonymTable {
  private static final String FOLDER = "net/sf/extjwnl/data/wordnet/wn31/";
  private static final List<String> PARTS = List.of("noun", "adj", "verb", "adv");
  private static final Map<String, String> MARKS = Map.of("noun", "n", "adj", "a", "verb", "v", "adv", "r");
  /// What a sense key has for a part of speech; adjectives have two.
  private static final Map<String, String> DIGITS =
      Map.of("1", "noun", "2", "verb", "3", "adj", "4", "adv", "5", "adj");
  private static final Set<String> SKIPPED = Set.of((
      // stop words that WordNet knows in another meaning
      "a about above after again all am an and any are as at be because been before being below both but by can could did do "
      + "does doing down during each few for from further had has have having he her here hers him his how i if in into is it "
      + "its just may me might more most must my no nor not now of off on once one only or other our out over own s same "
      + "shall she should so some such t than that the their them then there these they this those through to too under until "
      + "up us very was we were what when where which while who whom why will with would you your "
      // words of pictures that say how, not what
      + "left right top bottom front back side "
      // colours
      + "red orange yellow green blue indigo violet purple pink brown black white grey gray gold golden silver beige tan cream "
      + "crimson scarlet maroon magenta cyan turquoise teal lime olive navy ivory khaki lavender lilac mauve amber bronze copper "
      + "coral salmon peach rose ruby emerald sapphire azure blond blonde auburn "
      // numbers
      + "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
      + "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion first second third "
      + "fourth fifth sixth seventh eighth ninth tenth dozen half quarter pair double single triple").split(" "));

  private final ZipFile wordnet;
  /// Word, part of speech and offset of a synset → how often texts use it so.
  private final Map<String, Integer> uses = new HashMap<>();

  private SynonymTable(ZipFile wordnet) { this.wordnet = wordnet; }

  public static void main(String[] args) throws IOException {
    try (var zip = new ZipFile(args[0])) { new SynonymTable(zip).write(Path.of(args[1])); }
  }

  private void lines(String file, Consumer<String> to) {
    try (var in = new BufferedReader(new InputStreamReader(wordnet.getInputStream(wordnet.getEntry(FOLDER + file)),
        StandardCharsets.UTF_8))) {
      for (String line; (line = in.readLine()) != null; ) if (!line.startsWith("  ")) to.accept(line);
    } catch (IOException e) { throw new UncheckedIOException(e); }
  }

  private void write(Path out) throws IOException {
    lines("index.sense", line -> {
      var f = line.split(" ");  // lemma%type:…, offset, number, uses
      int mark = f[0].indexOf('%');
      uses.merge(f[0].substring(0, mark) + " " + DIGITS.get(f[0].substring(mark + 1, mark + 2)) + " " + f[1],
          Integer.parseInt(f[3]), Integer::sum);
    });
    var table = new TreeMap<String, String>();
    var known = new HashSet<String>();
    for (var part : PARTS) {
      var senses = new HashMap<String, List<String>>();
      lines("data." + part, line -> senses.put(line.substring(0, 8), sense(line)));
      lines("index." + part, line -> {
        var f = line.split(" ");  // lemma, part, synsets, n, n marks, senses, uses, offsets
        var first = f[4 + Integer.parseInt(f[3]) + 2];
        if (!known.add(f[0]) || !plain(f[0]) || SKIPPED.contains(f[0])) return;
        var synonyms = synonyms(f[0], part, first, senses.get(first));
        if (!synonyms.isEmpty()) table.put(f[0], MARKS.get(part) + " " + String.join(" ", synonyms));
      });
    }
    table.replaceAll((word, rest) -> 
        rest.startsWith("n ") && known.contains(plural(word)) ? "N" + rest.substring(1) : rest);
    try (var to = new OutputStreamWriter(new GZIPOutputStream(Files.newOutputStream(out)), StandardCharsets.UTF_8)) {
      for (var e : table.entrySet()) to.write(e.getKey() + " " + e.getValue() + "\n");
    }
    System.out.printf("%,d words, %,d bytes%n", table.size(), Files.size(out));
  }

  private static String plural(String word) {
    if (word.matches(".*(s|x|z|ch|sh)")) return word + "es";
    return word.matches(".*[^aeiou]y") ? word.substring(0, word.length() - 1) + "ies" : word + "s";
  }

  /// Small letters alone, three or more.
  private static boolean plain(String word) { return word.matches("[a-z]{3,}"); }

  private static List<String> sense(String line) {
    var f = line.split(" ");  // offset, file, type, number of words in hexadecimal, word, id …
    var words = new ArrayList<String>();
    for (int i = 0; i < Integer.parseInt(f[3], 16); i++) words.add(f[4 + 2 * i].replaceFirst("\\((a|p|ip)\\)$", ""));
    return words;
  }

  private List<String> synonyms(String word, String part, String offset, List<String> sense) {
    if (!sense.contains(word)) return List.of();         // there it is written as a name
    var others = sense.stream().filter(w -> !w.equals(word)).toList();
    return others.stream().filter(w -> plain(w) && !SKIPPED.contains(w)
        && (others.size() == 1 || uses.getOrDefault(w + " " + part + " " + offset, 0) > 0)).toList();
  }
}
