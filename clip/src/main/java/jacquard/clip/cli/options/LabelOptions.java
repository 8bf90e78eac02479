package jacquard.clip.cli.options;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/// Names to choose among.
public final class LabelOptions {
  @Option(names = "--labels", paramLabel = "NAME,…",
      description = "Names, separated by commas; one that holds a comma in double quotes, as '\"cat, asleep\",dog'. "
          + "May be repeated.")
  List<String> lists = List.of();
  @Option(names = "--label", paramLabel = "NAME", description = "One name, commas and all; may be repeated.")
  List<String> single = List.of();
  @Option(names = "--labels-file", paramLabel = "FILE",
      description = "A text file with a name a line; blank lines are passed over.")
  Path file;

  /// Those of --labels, --label and --labels-file, in this order.
  public List<String> labels() throws IOException {
    var r = new ArrayList<String>();
    for (var l : lists) split(l, r);
    r.addAll(single);
    if (file != null) try (var lines = new TextLines(file)) {
      for (String l; (l = lines.next()) != null; ) r.add(l);
    }
    var names = r.stream().map(String::strip).filter(l -> !l.isEmpty()).toList();
    if (names.isEmpty())
      throw new IllegalArgumentException("no label, expected some with --labels NAME,…, --label NAME or --labels-file "
          + "FILE");
    return names;
  }

  private static void split(String list, List<String> into) {
    var field = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i < list.length(); i++) {
      char c = list.charAt(i);
      if (c == '"' && quoted && i + 1 < list.length() && list.charAt(i + 1) == '"') { field.append('"'); i++; }
      else if (c == '"' && (quoted || field.toString().isBlank())) quoted = !quoted;
      else if (c == ',' && !quoted) {
        into.add(field.toString());
        field.setLength(0);
      } else field.append(c);
    }
    if (quoted) throw new IllegalArgumentException("--labels " + list + ": a quote is not closed");
    into.add(field.toString());
  }
}
