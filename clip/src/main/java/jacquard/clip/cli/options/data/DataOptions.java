package jacquard.clip.cli.options.data;

import jacquard.clip.data.shards.ShardNames;
import jacquard.clip.data.shards.ShardSource;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.data.source.FolderSource;
import jacquard.clip.data.source.Source;
import jacquard.clip.data.source.TableSource;
import jacquard.clip.settings.Count;
import jacquard.clip.settings.Presence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Where pairs come from.
public final class DataOptions {
  @Option(names = "--csv-separator", paramLabel = "C", description =
      "Separator of a table: one character, or \\t for a tab (default: the one of comma, tab, semicolon and bar that "
      + "finds the columns in the first row).")
  String separator;
  @Option(names = "--csv-img-key", paramLabel = "NAME", description =
      "Column of picture paths (default: ${DEFAULT-VALUE}).")
  String pathColumn = "filepath";
  @Option(names = "--csv-caption-key", paramLabel = "NAME", description =
      "Column of captions (default: ${DEFAULT-VALUE}).")
  String captionColumn = "title";

  @Option(names = "--csv-group-key", paramLabel = "NAME", description =
      "Column whose equal values are captions of one picture, in evaluation (default: equal paths are).")
  String groupColumn;

  @Mixin(name = "Shards") public ShardOptions shards;

  /// A split of the emoji by name, shards, a table, or a folder.
  public Source source(String data) throws IOException {
    if (EmojiSource.SPLITS.contains(data)) return EmojiSource.of(data);
    if (ShardNames.in(data) && !Files.isDirectory(Path.of(data))) {
      var s = ShardSource.read(shards.open(data), Integer.MAX_VALUE);
      s.notes().forEach(System.err::println);
      return s;
    }
    var path = Path.of(data);
    if (!Presence.of(path))
      throw new IOException(data + " does not exist; expected one of the names " + String.join(", ", EmojiSource.SPLITS)
          + ", shards (.tar), a table (.csv, .tsv) or a folder of pictures with .txt captions");
    if (Files.isDirectory(path)) {
      var f = FolderSource.read(path);
      if (f.skipped() > 0)
        System.err.println(Count.of(f.skipped(), "picture") + " of " + path + (f.skipped() == 1
            ? " has no caption beside it, or one that is empty, locked or no text, and is left out"
            : " have no caption beside them, or one that is empty, locked or no text, and are left out"));
      if (!f.leftOut().isEmpty())
        System.err.println("left out of " + path + ", no pictures by their ending: " + f.leftOut());
      if (!f.unread().isEmpty()) System.err.println(FolderSource.skipped(f.unread()));
      return f;
    }
    var unescaped = "\\t".equals(separator) ? "\t" : separator;
    if (unescaped != null && (unescaped.length() != 1 || "\"\r\n".contains(unescaped)))
      throw new IllegalArgumentException("--csv-separator \"" + separator + "\", expected one character or \\t");
    var t = TableSource.read(path, unescaped == null ? null : (Character) unescaped.charAt(0),
        new TableSource.Columns(pathColumn, captionColumn, groupColumn));
    if (t.skipped() > 0)
      System.err.println(Count.of(t.skipped(), "row") + " of " + path + (t.skipped() == 1 ? " has" : " have")
          + " no caption or no path, or a caption that is no text, and " + (t.skipped() == 1 ? "is" : "are")
          + " left out");
    return t;
  }
}
