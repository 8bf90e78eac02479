package jacquard.clip.data.parquet;

import dev.hardwood.InputFile;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.schema.ColumnProjection;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/// A Parquet file in memory, read row by row.
///
/// @param name of the file, for errors
record Table(String name, byte[] file) {
  /// The library says at length what it has found of the machine.
  private static final Logger QUIET = Logger.getLogger("dev.hardwood");
  static { QUIET.setLevel(Level.WARNING); }

  /// What is done with a row: the values of the columns asked for, null where there is none.
  interface Row { void of(Object... values) throws IOException; }

  static Table beside(Sidecar s) throws IOException { return new Table(s.name(".parquet"), s.read(".parquet")); }

  boolean has(String column) throws IOException {
    return guarded(() -> {
      try (var parquet = open()) { return columns(parquet).contains(column); }
    });
  }

  /// @throws IOException where it is no Parquet file, or has no such columns
  void read(List<String> columns, Row row) throws IOException {
    guarded(() -> {
      try (var parquet = open()) {
        var there = columns(parquet);
        for (var c : columns)
          if (!there.contains(c)) throw new IOException(name + " has no column \"" + c + "\"; found " + there);
        try (var rows = parquet.buildRowReader().projection(ColumnProjection.columns(columns.toArray(String[]::new)))
            .build()) {
          var values = new Object[columns.size()];
          while (rows.hasNext()) {
            rows.next();
            for (int i = 0; i < values.length; i++) values[i] = value(rows, columns.get(i));
            row.of(values);
          }
        }
        return null;
      }
    });
  }

  private static Object value(dev.hardwood.reader.RowReader rows, String column) {
    if (rows.isNull(column)) return null;
    var v = rows.getValue(column);
    return v instanceof Number ? v : rows.getString(column);
  }

  private ParquetFileReader open() throws IOException {
    return ParquetFileReader.open(InputFile.of(ByteBuffer.wrap(file)));
  }

  private static List<String> columns(ParquetFileReader parquet) {
    return parquet.getFileSchema().getColumns().stream().map(c -> c.name()).toList();
  }

  private interface Work<T> { T run() throws IOException; }

  private <T> T guarded(Work<T> work) throws IOException {
    try { return work.run(); }
    catch (RuntimeException e) {                                                 // of a broken file, of any kind
      throw new IOException(name + " cannot be read: " + Reason.of(e.getCause() == null ? e : e.getCause()), e);
    } catch (NoClassDefFoundError e) {
      throw new IOException(name + ": Parquet needs the library dev.hardwood:hardwood-core, and org.xerial.snappy:"
          + "snappy-java where the file is compressed by Snappy", e);
    }
  }
}
