package jacquard.clip.data;

import jacquard.clip.image.Picture;
import jacquard.clip.image.Pixels;
import jacquard.emoji.Emoji;
import java.util.List;
import java.util.function.Predicate;

/// The default corpus, or a part of it.
public record EmojiSource(String name, List<Emoji.Drawing> drawings) implements Source {
  /// The family whose drawings a training never sees.
  public static final String HELD_OUT = "twemoji";

  public static EmojiSource where(String name, Predicate<Emoji.Drawing> which) { return new EmojiSource(name, Emoji.load().stream().filter(which).toList()); }
  /// All families but the one held out.
  public static EmojiSource training() { return where("emoji", d -> !d.family().equals(HELD_OUT)); }
  public static EmojiSource heldOut() { return where("emoji, family " + HELD_OUT, d -> d.family().equals(HELD_OUT)); }

  @Override public int size() { return drawings.size(); }
  @Override public String caption(int index) { return drawings.get(index).caption(); }
  @Override public Picture picture(int index) { return new Pixels(Emoji.SIZE, Emoji.SIZE, drawings.get(index).rgb()).picture(); }
}
