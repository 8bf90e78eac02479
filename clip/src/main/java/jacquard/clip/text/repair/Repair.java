package jacquard.clip.text.repair;

/// Repairs a text as ftfy 6.3.1 does with its defaults: each line for itself, over and over until it stays the same.
///
/// A line break belongs to the line before it, and a line of over a million characters is cut there. From the first
/// line with a "<" on the text is taken for HTML, and its entities stay.
public final class Repair {
  private static final int LONGEST = 1_000_000;

  private Repair() {}

  /// The repaired text; the text itself where nothing is wrong with it. Never throws, and takes time in proportion to
  /// the length: a text of thousands of nested damages is left as far as it got (see [Effort]).
  public static String of(String text) {
    if (plain(text)) return text;
    var effort = new Effort(text.length());
    var repaired = new StringBuilder(text.length());
    boolean entities = true;
    for (int from = 0, to; from < text.length(); from = to) {
      to = text.indexOf('\n', from) + 1;
      if (to == 0) to = text.length();
      if (to - from > LONGEST && text.codePointCount(from, Math.min(to, from + 2 * LONGEST)) > LONGEST)
        to = text.offsetByCodePoints(from, LONGEST);
      var line = text.substring(from, to);
      entities &= line.indexOf('<') < 0;
      repaired.append(line(line, entities, effort));
    }
    return repaired.toString();
  }

  /// Printable ASCII, tabs and line feeds without "&": no entity, no character that any repair touches.
  private static boolean plain(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < ' ' || c > '~' || c == '&') && c != '\n' && c != '\t') return false;
    }
    return true;
  }

  private static String line(String line, boolean entities, Effort effort) {
    while (effort.spend(line.length())) {
      var before = line;
      if (entities) line = Entities.closed(line);
      line = Mojibake.repaired(line, effort);
      line = Characters.windows(line);
      line = Characters.plain(line);
      line = Composed.of(line);
      if (line.equals(before)) break;
    }
    return line;
  }
}
