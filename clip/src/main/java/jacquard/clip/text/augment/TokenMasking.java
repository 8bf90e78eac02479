package jacquard.clip.text.augment;

import jacquard.clip.text.Tokenizer;
import jacquard.tensor.Random;
import java.util.Arrays;
import java.util.List;

/// Each token of a caption is masked with a probability: it becomes the vocabulary's token for that, and where there is
/// none, as in CLIP's, it is left out. Marks and padding stay, and so does one token at least.
public final class TokenMasking {
  private static final String PROBE = "a small cat";
  private static final int ROOM = 64;
  private static final List<String> MASKS = List.of("[MASK]", "<mask>");

  private final Tokenizer tokenizer;
  private final int head, tail, mask, padding;

  /// @throws IllegalArgumentException where the tokenizer's marks do not stand around the text
  public TokenMasking(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    int[] text = tokenizer.encode(PROBE), whole = tokenizer.unpadded(PROBE, ROOM);
    int at = 0;
    while (at + text.length <= whole.length
        && !Arrays.equals(text, 0, text.length, whole, at, at + text.length)) at++;
    if (at + text.length > whole.length)
      throw new IllegalArgumentException(
          "tokens cannot be masked: this tokenizer's marks do not stand around the text");
    head = at;
    tail = whole.length - text.length - at;
    padding = tokenizer.tokenize("", ROOM)[ROOM - 1];
    mask = MASKS.stream().map(tokenizer::encode).filter(ids -> ids.length == 1 && ids[0] != unknown())
        .mapToInt(ids -> ids[0]).findFirst().orElse(-1);
  }

  /// What becomes of a word that is none.
  private int unknown() {
    int[] ids = tokenizer.encode("[KSAM]");
    return ids.length == 1 ? ids[0] : -1;
  }

  /// @param ids of the caption, marks and padding with them
  public int[] of(String caption, int[] ids, double p, Random key) {
    int n = Math.min(tokenizer.encode(caption).length, ids.length - head - tail);
    if (n < 2) return ids;
    var masked = new boolean[n];
    int stay = 0;
    for (int i = 0; i < n; i++) if (!(masked[i] = key.uniform(i) < p)) stay++;
    if (stay == 0) masked[key.below(n, n)] = false;
    int[] r = new int[ids.length];
    Arrays.fill(r, padding);
    System.arraycopy(ids, 0, r, 0, head);
    int at = head;
    for (int i = 0; i < n; i++)
      if (!masked[i]) r[at++] = ids[head + i];
      else if (mask >= 0) r[at++] = mask;
    int rest = mask >= 0 ? ids.length - at : tail;            // with a mask nothing moves
    System.arraycopy(ids, head + n, r, at, rest);
    return r;
  }
}
