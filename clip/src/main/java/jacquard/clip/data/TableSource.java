package jacquard.clip.data;

import jacquard.clip.image.Images;
import jacquard.clip.image.Picture;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A CSV or TSV of picture paths and captions, quoted as RFC 4180; a byte-order mark is skipped. Paths are as given, or relative to the table.
public record TableSource(Path file, List<Path> paths, List<String> captions, int skipped) implements Source {

  public static TableSource read(Path file, char separator, String pathColumn, String captionColumn) throws IOException {
    String text;
    try { text = Files.readString(file); } catch (MalformedInputException e) { throw new IOException(file + " is no UTF-8 text", e); }
    if (text.startsWith("\ufeff")) text = text.substring(1);
    var rows = rows(text, separator, file);
    if (rows.isEmpty()) throw new IOException(file + " is empty, expected a line of column names");
    var head = rows.getFirst();
    int p = column(head, pathColumn, file), c = column(head, captionColumn, file), skipped = 0;
    var paths = new ArrayList<Path>();
    var captions = new ArrayList<String>();
    for (int i = 1; i < rows.size(); i++) {
      var r = rows.get(i);
      if (r.size() == 1 && r.getFirst().isEmpty()) continue;
      if (r.size() != head.size()) throw new IOException(file + " row " + (i + 1) + " has " + r.size() + " fields, expected " + head.size());
      if (r.get(c).isBlank() || r.get(c).indexOf('\0') >= 0) { skipped++; continue; }
      Path path;
      try { path = Path.of(r.get(p)); } catch (InvalidPathException e) { throw new IOException(file + " row " + (i + 1) + ": \"" + r.get(p) + "\" is no path: " + e.getReason(), e); }
      paths.add(path.isAbsolute() || Files.exists(path) || file.toAbsolutePath().getParent() == null ? path : file.toAbsolutePath().getParent().resolve(path));
      captions.add(r.get(c));
    }
    if (paths.isEmpty()) throw new IOException(file + " holds no row with a caption (" + skipped + " without)");
    return new TableSource(file, List.copyOf(paths), List.copyOf(captions), skipped);
  }

  private static int column(List<String> head, String name, Path file) throws IOException {
    int i = head.indexOf(name);
    if (i < 0) throw new IOException(file + " has no column \"" + name + "\"; found " + head + " (is the separator right?)");
    return i;
  }

  private static List<List<String>> rows(String s, char separator, Path file) throws IOException {
    var rows = new ArrayList<List<String>>();
    var row = new ArrayList<String>();
    var field = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i <= s.length(); i++) {
      char ch = i < s.length() ? s.charAt(i) : '\n';
      if (quoted) {
        if (i == s.length()) throw new IOException(file + " ends within quotes that began in row " + (rows.size() + 1));
        if (ch != '"') field.append(ch);
        else if (i + 1 < s.length() && s.charAt(i + 1) == '"') { field.append('"'); i++; }
        else quoted = false;
      } else if (ch == '"' && field.isEmpty()) quoted = true;
      else if (ch == separator || ch == '\n') {
        if (ch == '\n' && !field.isEmpty() && field.charAt(field.length() - 1) == '\r') field.setLength(field.length() - 1);
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
  @Override public Picture picture(int index) throws IOException { return Images.read(paths.get(index)); }
}
