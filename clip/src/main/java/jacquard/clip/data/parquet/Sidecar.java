package jacquard.clip.data.parquet;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The files beside a shard, as img2dataset and DataComp lay them out: `.parquet` with a row a sample, its name in the
/// column `key`, and `.npz` with an array of as many rows.
public interface Sidecar {
  String KEY = "key";

  /// Of a file with this ending, for errors.
  String name(String ending);

  /// @throws IOException where it is not there
  byte[] read(String ending) throws IOException;

  /// A Parquet file alone.
  static Sidecar of(String name, byte[] parquet) {
    return new Sidecar() {
      @Override public String name(String ending) { return name; }
      @Override public byte[] read(String ending) throws IOException {
        if (ending.equals(".parquet")) return parquet;
        throw new IOException(name + " has no " + ending + " beside it");
      }
    };
  }

  /// The texts of a column by key; of empty ones none.
  default Map<String, String> texts(String column) throws IOException {
    var r = new HashMap<String, String>();
    Table.beside(this).read(List.of(KEY, column), v -> {
      if (v[0] == null || v[1] == null) return;
      if (!(v[1] instanceof String text))
        throw new IOException(name(".parquet") + ": column \"" + column + "\" holds no texts");
      r.put(v[0].toString(), text);
    });
    return r;
  }
}
