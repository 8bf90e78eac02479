package jacquard.clip.eval.captioning;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/// A picture's caption and those that people gave it, as words.
///
/// @param references at least one
public record Captioned(List<String> candidate, List<List<String>> references) {
  public Captioned {
    if (references.isEmpty()) throw new IllegalArgumentException("a caption without references, expected at least one");
    candidate = List.copyOf(candidate);
    references = List.copyOf(references);
  }

  /// Of texts whose words stand apart by single spaces.
  public static Captioned of(String candidate, List<String> references) {
    return new Captioned(words(candidate), references.stream().map(Captioned::words).toList());
  }

  private static List<String> words(String text) { return Arrays.asList(text.split(" ", -1)); }

  /// How often each run of `n` words occurs.
  static Map<List<String>, Integer> grams(List<String> words, int n) {
    var r = new HashMap<List<String>, Integer>();
    for (int i = 0; i + n <= words.size(); i++) r.merge(words.subList(i, i + n), 1, Integer::sum);
    return r;
  }

  /// All scores by pycocoevalcap's names. Captions are cut into words first.
  ///
  /// @param references of each picture
  public static SequencedMap<String, Double> scores(List<String> candidates, List<List<String>> references) {
    var all = IntStream.range(0, candidates.size()).mapToObj(i -> of(PennTreebank.words(candidates.get(i)),
        references.get(i).stream().map(PennTreebank::words).toList())).toList();
    var r = new LinkedHashMap<String, Double>();
    double[] bleu = Bleu.corpus(all);
    for (int n = 1; n <= bleu.length; n++) r.put("Bleu_" + n, bleu[n - 1]);
    r.put("ROUGE_L", all.stream().mapToDouble(RougeL::of).average().orElse(Double.NaN));
    r.put("CIDEr", Arrays.stream(Cider.each(all)).average().orElse(Double.NaN));
    return r;
  }
}
