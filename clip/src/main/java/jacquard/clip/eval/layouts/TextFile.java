package jacquard.clip.eval.layouts;

import jacquard.clip.settings.FirstBytes;
import jacquard.clip.settings.Presence;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The small text files beside a set: a line a class or a template.
public final class TextFile {
  private static final long LONGEST = 16 << 20;

  private TextFile() {}

  /// The lines, without margins. An empty line at the end would be a class of its own, and labels would still fit: it
  /// is an error, like one between.
  ///
  /// @param what a line is, in a word
  /// @throws IOException naming the line that is empty
  public static List<String> lines(Path file, String what) throws IOException {
    var text = text(file);
    var lines = text.lines().map(String::strip).toList();
    for (int i = 0; i < lines.size(); i++)
      if (lines.get(i).isEmpty()) throw new IOException("%s: line %d is empty%s, expected a %s; take the line away"
          .formatted(file, i + 1, i == lines.size() - 1 ? " (the last)" : "", what));
    if (lines.isEmpty()) throw new IOException(file + " is empty, expected a " + what + " a line");
    return lines;
  }

  /// UTF-8, without a byte-order mark.
  public static String text(Path file) throws IOException {
    Presence.file(file, "a text file");
    if (Files.size(file) > LONGEST) throw new IOException(file + ": " + Files.size(file) + " bytes, expected at most "
        + LONGEST);
    try {
      var text = Files.readString(file);
      return text.startsWith("\ufeff") ? text.substring(1) : text;
    } catch (MalformedInputException e) {
      throw new IOException(file + " is no UTF-8 text" + FirstBytes.unlikeUtf8(file), e);
    }
  }
}
