package jacquard.clip.tune.method.prompt;

import jacquard.clip.model.ClipModel;
import jacquard.clip.nn.Init;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.learned.PromptWords;
import jacquard.tensor.Random;
import jacquard.tensor.Tensor;
import java.util.Arrays;

/// What a prompt begins as.
///
/// @param text    words whose vectors it begins with
/// @param vectors how many vectors drawn by chance it has in place of them; 0 for the words
public record Wording(String text, int vectors) {
  private static final double DEVIATION = 0.02;
  private static final int DEPTH = 9;

  public Wording {
    if (vectors < 0) throw new IllegalArgumentException("a prompt of " + vectors + " vectors, expected 1 or more");
    if (vectors == 0 && text.isBlank())
      throw new IllegalArgumentException("a prompt without words or vectors");
  }

  /// @param vectors `[vectors, width]`
  /// @param words   what stands between them and the name, and behind it
  record Begun(Tensor vectors, PromptWords words) {}

  /// @param most vectors; further words stay words
  Begun begin(ClipModel model, Start start, int most) {
    var room = model.text().promptRoom();
    int[] stop = ids(start, ".");
    if (vectors > 0)
      return new Begun(make(start).make(new Init.Normal(DEVIATION), vectors, room.width()),
          new PromptWords(new int[0], stop));
    int[] all = ids(start, text);
    int n = Math.min(most, all.length);
    return new Begun(room.words().gather(Arrays.copyOf(all, n)).copy(),
        new PromptWords(Arrays.copyOfRange(all, n, all.length), stop));
  }

  static Init.Maker make(Start start) { return Init.Maker.drawn(Random.of(start.seed()).fold("prompt")); }

  /// How many blocks of both towers take rows, the first among them: at most 9.
  static int depth(ClipModel model) {
    return Math.min(DEPTH, Math.min(model.visual().promptRoom().blocks(), model.text().promptRoom().blocks()));
  }

  /// Tokens without start and end.
  private static int[] ids(Start start, String text) {
    int[] all = start.tokenizer().unpadded(text, start.config().text().input().context());
    return Arrays.copyOfRange(all, 1, all.length - 1);
  }
}
