package jacquard.clip.data.parquet;

import java.io.IOException;
import java.util.Set;

/// Which samples of a shard stay, by the files beside it.
public sealed interface Keeps permits Scores, Uids {
  /// What the samples that do not stay are counted under.
  String reason();

  /// The keys of the samples that stay.
  ///
  /// @throws IOException where a file is missing or broken, or lacks what is asked for
  Set<String> kept(Sidecar beside) throws IOException;
}
