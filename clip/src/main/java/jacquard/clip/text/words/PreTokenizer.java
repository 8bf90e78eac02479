package jacquard.clip.text.words;

import java.util.List;

/// Cuts a text into the words that a model sees, changing them where the vocabulary is of other letters.
public interface PreTokenizer {
  /// @param text not empty
  /// @param first whether the text is where the whole input begins
  void split(String text, boolean first, Sink out);

  /// Takes words in order; `first` where the whole input begins with it.
  interface Sink { void accept(String word, boolean first); }

  PreTokenizer NONE = (text, first, out) -> out.accept(text, first);

  /// One after another, each on the words of the one before.
  record Chain(List<PreTokenizer> parts) implements PreTokenizer {
    @Override public void split(String text, boolean first, Sink out) { run(0, text, first, out); }

    private void run(int i, String text, boolean first, Sink out) {
      if (i == parts.size()) out.accept(text, first);
      else parts.get(i).split(text, first, (word, f) -> run(i + 1, word, f, out));
    }
  }

  /// Words of bytes as letters.
  ///
  /// @param space a text that begins with no space is given one
  /// @param words cut by GPT-2's rule first
  record ByteLevel(boolean space, boolean words) implements PreTokenizer {
    @Override public void split(String text, boolean first, Sink out) {
      var s = space && !text.startsWith(" ") ? " " + text : text;
      if (!words) {
        out.accept(Letters.bytes(s), first);
        return;
      }
      for (int from = 0, to; from < s.length(); from = to) {
        to = WordRule.GPT2.end(s, from);
        out.accept(Letters.bytes(s.substring(from, to)), first && from == 0);
      }
    }
  }

  /// Spaces become `mark`, one is put before the text, and every mark begins a word.
  record Metaspace(char mark, When when, boolean words) implements PreTokenizer {
    /// Before which texts a mark is put: all, the one that the input begins with, or none.
    public enum When { ALWAYS, FIRST, NEVER }

    @Override public void split(String text, boolean first, Sink out) {
      var s = text.replace(' ', mark);
      if ((when == When.ALWAYS || when == When.FIRST && first) && s.charAt(0) != mark) s = mark + s;
      for (int from = 0; from < s.length();) {
        int to = words ? s.indexOf(mark, from + 1) : -1;
        if (to < 0) to = s.length();
        out.accept(s.substring(from, to), first && from == 0);
        from = to;
      }
    }
  }
}
