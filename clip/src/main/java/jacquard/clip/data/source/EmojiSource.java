package jacquard.clip.data.source;

import jacquard.clip.image.Picture;
import jacquard.clip.image.Pixels;
import jacquard.emoji.Emoji;
import java.util.List;
import java.util.function.Predicate;

/// The default corpus, or a part of it.
///
/// @param names the captions among which an evaluation chooses
public record EmojiSource(String name, List<Emoji.Drawing> drawings, List<String> names) implements Source {
  /// The family whose drawings a training never sees.
  public static final String HELD_OUT = "twemoji";
  /// The names that [#of] knows; a training on `X` is evaluated on `X-heldout`.
  public static final List<String> SPLITS =
      List.of("emoji", "emoji-heldout", "emoji-concepts", "emoji-concepts-heldout", "emoji-concepts-heldout-all");

  /// A part of the corpus; an evaluation chooses among the part's own captions.
  public static EmojiSource where(String name, Predicate<Emoji.Drawing> which) {
    var drawings = Emoji.load().stream().filter(which).toList();
    return new EmojiSource(name, drawings, captions(drawings));
  }

  /// All families but the one held out.
  public static EmojiSource training() { return where("emoji", EmojiSource::seen); }
  public static EmojiSource heldOut() { return where("emoji, family " + HELD_OUT, d -> !seen(d)); }

  /// As [#training], without the concepts held out.
  public static EmojiSource trainingConcepts() {
    return where("emoji-concepts", d -> seen(d) && !Emoji.heldOut(d.concept()));
  }
  /// The concepts held out, by every family: 192 names to choose among.
  public static EmojiSource heldOutConcepts() {
    return where("emoji, held-out concepts", d -> Emoji.heldOut(d.concept()));
  }
  /// The same drawings, but all the corpus's names to choose among: those that were trained on compete.
  public static EmojiSource heldOutConceptsAmongAll() {
    var all = Emoji.load();
    return new EmojiSource("emoji, held-out concepts among all names",
        all.stream().filter(d -> Emoji.heldOut(d.concept())).toList(), captions(all));
  }

  /// The split of that name.
  public static EmojiSource of(String split) {
    return switch (split) {
      case "emoji" -> training();
      case "emoji-heldout" -> heldOut();
      case "emoji-concepts" -> trainingConcepts();
      case "emoji-concepts-heldout" -> heldOutConcepts();
      case "emoji-concepts-heldout-all" -> heldOutConceptsAmongAll();
      default -> throw new IllegalArgumentException("no split " + split + " of the emoji, expected one of " + SPLITS);
    };
  }

  private static boolean seen(Emoji.Drawing d) { return !d.family().equals(HELD_OUT); }
  private static List<String> captions(List<Emoji.Drawing> drawings) {
    return drawings.stream().map(Emoji.Drawing::caption).distinct().toList();
  }

  @Override public int size() { return drawings.size(); }
  @Override public String caption(int index) { return drawings.get(index).caption(); }
  @Override public Picture picture(int index) {
    return new Pixels(Emoji.SIZE, Emoji.SIZE, drawings.get(index).rgb()).picture();
  }
}
