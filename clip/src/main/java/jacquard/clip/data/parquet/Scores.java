package jacquard.clip.data.parquet;

import dev.hardwood.InputFile;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.schema.ColumnProjection;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;

/// Keeps the samples of a shard whose number in a column of the Parquet file beside it is large enough, as img2dataset
/// and DataComp lay them out: a row a sample, its name in the column `key`.
///
/// @param column a column of numbers
/// @param least  the least number that stays
public record Scores(String column, double least) {
  private static final String KEY = "key";
  /// The library says at length what it has found of the machine.
  private static final Logger QUIET = Logger.getLogger("dev.hardwood");
  static { QUIET.setLevel(Level.WARNING); }

  /// `COLUMN=LEAST`.
  public static Scores parse(String text) {
    int at = text.lastIndexOf('=');
    try {
      if (at > 0) return new Scores(text.substring(0, at).strip(), Double.parseDouble(text.substring(at + 1).strip()));
    } catch (NumberFormatException none) {
      throw new IllegalArgumentException("--min-score " + text + ": \"" + text.substring(at + 1) + "\" is no number",
          none);
    }
    throw new IllegalArgumentException("--min-score " + text + ", expected COLUMN=NUMBER");
  }

  /// What the samples that do not stay are counted under.
  public String reason() { return "whose " + column + " is below " + least + ", or missing"; }

  /// The keys of the samples that stay.
  ///
  /// @param name of the file, for errors
  /// @throws IOException where it is no Parquet file, or has no such columns
  public Set<String> kept(String name, byte[] file) throws IOException {
    var r = new HashSet<String>();
    try (var parquet = ParquetFileReader.open(InputFile.of(ByteBuffer.wrap(file)))) {
      var columns = parquet.getFileSchema().getColumns().stream().map(c -> c.name()).toList();
      if (!columns.containsAll(List.of(KEY, column)))
        throw new IOException(name + " has no column \"" + (columns.contains(KEY) ? column : KEY) + "\"; found "
            + columns);
      try (var rows = parquet.buildRowReader().projection(ColumnProjection.columns(KEY, column)).build()) {
        while (rows.hasNext()) {
          rows.next();
          if (rows.isNull(KEY) || rows.isNull(column)) continue;
          if (!(rows.getValue(column) instanceof Number n))
            throw new IOException(name + ": column \"" + column + "\" holds no numbers");
          if (n.doubleValue() >= least) r.add(rows.getString(KEY));
        }
      }
      return r;
    } catch (RuntimeException e) {                                               // of a broken file, of any kind
      throw new IOException(name + " cannot be read: " + Reason.of(e.getCause() == null ? e : e.getCause()), e);
    } catch (NoClassDefFoundError e) {
      throw new IOException(name + ": Parquet needs the library dev.hardwood:hardwood-core, and org.xerial.snappy:"
          + "snappy-java where the file is compressed by Snappy", e);
    }
  }
}
