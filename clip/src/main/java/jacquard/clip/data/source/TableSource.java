package jacquard.clip.data.source;

import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
import jacquard.clip.settings.Count;
import jacquard.clip.settings.FirstBytes;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A table of picture paths and captions, quoted as RFC 4180; a byte-order mark is skipped. Paths are as given, or
/// relative to the table. Rows of one picture, or of equal values in a column of groups, are a picture with several
/// captions.
///
/// @param groups for each row what it has in common with others of its picture
public record TableSource(Path file, List<Path> paths, List<String> captions, List<Object> groups, int skipped)
    implements Source {
  private static final String SEPARATORS = ",\t;|";

  /// Names of columns.
  ///
  /// @param group null where the path tells pictures apart
  public record Columns(String path, String caption, String group) {}

  public static TableSource read(Path file, char separator, String pathColumn, String captionColumn)
      throws IOException {
    return read(file, separator, new Columns(pathColumn, captionColumn, null));
  }

  /// @param separator between fields; null for the one of comma, tab, semicolon and bar that finds the columns in the
  ///   first row
  /// @throws IOException naming the file, the row and what is wrong
  public static TableSource read(Path file, Character separator, Columns columns) throws IOException {
    String text;
    try { text = Files.readString(file); } catch (MalformedInputException e) {
      throw new IOException(file + " is no UTF-8 text" + FirstBytes.unlikeUtf8(file), e);
    }
    if (text.startsWith("\ufeff")) text = text.substring(1);
    if (text.indexOf('\n') < 0) text = text.replace('\r', '\n');                // lines of old Macs
    if (!text.isEmpty()) {
      var unlike = FirstBytes.of(file);
      if (unlike.isPresent()) throw new IOException(file + ": " + unlike.get());
    }
    var rows = rows(text, separator != null ? separator : found(text, columns, file), file, Integer.MAX_VALUE);
    if (rows.isEmpty()) throw new IOException(file + " is empty, expected a line of column names");
    var head = rows.getFirst();
    int p = column(head, columns.path, "--csv-img-key", file), skipped = 0;
    int c = column(head, columns.caption, "--csv-caption-key", file);
    int g = columns.group == null ? -1 : column(head, columns.group, "--csv-group-key", file);
    var paths = new ArrayList<Path>();
    var captions = new ArrayList<String>();
    var groups = new ArrayList<>();
    for (int i = 1; i < rows.size(); i++) {
      var r = rows.get(i);
      if (r.size() == 1 && r.getFirst().isEmpty()) continue;
      if (r.size() != head.size())
        throw new IOException(file + " row " + (i + 1) + " has " + Count.of(r.size(), "field") + ", expected "
            + head.size() + (r.size() > head.size()
                ? ": quote captions that hold the separator, as \"a cat, asleep\"" : ""));
      if (r.get(c).isBlank() || r.get(c).indexOf('\0') >= 0 || r.get(p).isBlank()) { skipped++; continue; }
      if (r.get(p).matches("(?i)https?://.*"))
        throw new IOException(file + " row " + (i + 1) + ": " + r.get(p) + " is an address, and pictures of a table "
            + "are files; download them first (img2dataset writes shards of them, which are read)");
      Path path;
      try { path = Path.of(r.get(p)); } catch (InvalidPathException e) {
        throw new IOException(file + " row " + (i + 1) + ": \"" + r.get(p) + "\" is no path: "
            + (Reason.unlikeUtf8() ? Reason.of(e) : e.getReason()), e);
      }
      path = path.isAbsolute() || Files.exists(path) || file.toAbsolutePath().getParent() == null ? path
          : file.toAbsolutePath().getParent().resolve(path);
      paths.add(path);
      captions.add(r.get(c));
      groups.add(g < 0 ? path.toAbsolutePath().normalize() : r.get(g));
    }
    if (paths.isEmpty()) throw new IOException(file + (skipped == 0 ? " holds column names and no row"
        : " holds no row with a path and a caption (" + skipped + " without)"));
    return new TableSource(file, List.copyOf(paths), List.copyOf(captions), List.copyOf(groups), skipped);
  }

  private static char found(String text, Columns columns, Path file) throws IOException {
    char most = ',';
    int fields = 0;
    for (char separator : SEPARATORS.toCharArray()) {
      var first = rows(text, separator, file, 1);
      if (first.isEmpty()) continue;
      if (first.getFirst().containsAll(List.of(columns.path, columns.caption))) return separator;
      if (first.getFirst().size() > fields) {
        fields = first.getFirst().size();
        most = separator;
      }
    }
    return most;
  }

  /// @param option that names the column
  private static int column(List<String> head, String name, String option, Path file) throws IOException {
    int i = head.indexOf(name);
    if (i >= 0) return i;
    var like = head.stream().filter(h -> h.strip().equalsIgnoreCase(name)).findFirst();
    var found = head.toString();
    throw new IOException(file + " has no column \"" + name + "\"; found "
        + (found.length() > 300 ? found.substring(0, 300) + "…" : found)
        + like.map(h -> "; if \"" + h + "\" is meant, give " + option + " \"" + h + "\"").orElse(head.size() == 1
        ? " (is the separator right?)" : " (is the separator right? is the first row that of the names? " + option
        + " takes another name)"));
  }

  private static List<List<String>> rows(String s, char separator, Path file, int most) throws IOException {
    var rows = new ArrayList<List<String>>();
    var row = new ArrayList<String>();
    var field = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i <= s.length() && rows.size() < most; i++) {
      char ch = i < s.length() ? s.charAt(i) : '\n';
      if (quoted) {
        if (i == s.length()) throw new IOException(file + " ends within quotes that began in row " + (rows.size() + 1));
        if (ch != '"') field.append(ch);
        else if (i + 1 < s.length() && s.charAt(i + 1) == '"') { field.append('"'); i++; }
        else quoted = false;
      } else if (ch == '"' && field.isEmpty()) quoted = true;
      else if (ch == separator || ch == '\n') {
        if (ch == '\n' && !field.isEmpty() && field.charAt(field.length() - 1) == '\r')
          field.setLength(field.length() - 1);
        row.add(field.toString());
        field.setLength(0);
        if (ch == '\n') {
          if (i < s.length() || row.size() > 1 || !row.getFirst().isEmpty()) rows.add(List.copyOf(row));
          row.clear();
        }
      } else field.append(ch);
    }
    return rows;
  }

  @Override public String name() { return file.toString(); }
  @Override public int size() { return paths.size(); }
  @Override public String caption(int index) { return captions.get(index); }
  @Override public Object group(int index) { return groups.get(index); }
  @Override public Picture picture(int index) throws IOException { return Images.read(paths.get(index)); }
  @Override public Optional<byte[]> file(int index) throws IOException {
    return Optional.of(Files.readAllBytes(paths.get(index)));
  }
}
