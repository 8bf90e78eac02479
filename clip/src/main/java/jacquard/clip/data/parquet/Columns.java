package jacquard.clip.data.parquet;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What the Parquet files beside shards are asked for.
///
/// @param keeps    all of which a sample has to pass
/// @param captions the column of captions; null where the shards hold them
public record Columns(List<Keeps> keeps, String captions) {
  public static final Columns NONE = new Columns(List.of(), null);

  /// What the files beside a shard say.
  public Rows of(Sidecar beside) throws IOException {
    var kept = new ArrayList<Set<String>>();
    for (var k : keeps) kept.add(k.kept(beside));
    return new Rows(keeps, kept, captions == null ? null : beside.texts(captions));
  }

  /// Of a shard: the keys that each keeps; captions by key, null where the shard holds them.
  public record Rows(List<Keeps> keeps, List<Set<String>> kept, Map<String, String> captions) {
    /// Why a sample of this name does not stay; null where it does.
    public String lost(String name) {
      for (int k = 0; k < kept.size(); k++) if (!kept.get(k).contains(name)) return keeps.get(k).reason();
      return null;
    }
  }
}
