package jacquard.clip.text.augment;

import jacquard.tensor.Random;
import java.util.ArrayList;
import java.util.List;

/// The changes that training makes to a caption by chance: one of its lines is chosen, words become others of equal
/// meaning, words are left out, and tokens are masked; in this order. All follows from the key.
///
/// @param choice   whether each line of a caption is a caption of its own, of which one is drawn
/// @param synonyms probability that a word becomes another of equal meaning, if there is one (see [Synonyms])
/// @param dropout  probability that a word is left out; one always stays
/// @param masking  probability that a token is masked (see [TokenMasking])
public record CaptionAugmentation(boolean choice, double synonyms, double dropout, double masking) {
  public static final CaptionAugmentation NONE = new CaptionAugmentation(false, 0, 0, 0);

  public CaptionAugmentation {
    for (double p : new double[] {synonyms, dropout, masking})
      if (!(p >= 0 && p < 1)) throw new IllegalArgumentException("a probability is 0 or more and below 1, found " + p);
  }

  /// One of a caption's lines that are not blank; the caption itself where captions have one line only.
  public String chosen(String caption, Random key) {
    if (!choice || caption.indexOf('\n') < 0) return caption;
    var lines = caption.lines().map(String::strip).filter(l -> !l.isEmpty()).toList();
    return lines.isEmpty() ? caption : lines.get(key.fold("line").below(0, lines.size()));
  }

  /// The caption in other words, and in fewer.
  public String words(String caption, Random key) {
    var r = synonyms == 0 ? caption : Synonyms.table().replace(caption, synonyms, key.fold("synonyms"));
    return dropout == 0 ? r : dropped(r, dropout, key.fold("dropout"));
  }

  private static String dropped(String caption, double p, Random key) {
    var words = List.of(caption.strip().split("\\s+"));
    var kept = new ArrayList<String>();
    for (int i = 0; i < words.size(); i++) if (key.uniform(i) >= p) kept.add(words.get(i));
    if (kept.size() == words.size()) return caption;
    return kept.isEmpty() ? words.get(key.below(words.size(), words.size())) : String.join(" ", kept);
  }
}
