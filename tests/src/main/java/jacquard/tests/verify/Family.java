package jacquard.tests.verify;

import java.io.IOException;
import java.nio.file.Path;

/// One family of recorded cases, kept in a folder of its own name (`models`, `losses`, `tokenizer`, …).
/// A case that throws is a failed case, never the end of the run.
public interface Family {
  /// The folder's name.
  String name();

  /// Runs every case under `folder` (the family's own folder) and reports each by name.
  void verify(Path folder, Report report) throws IOException;
}
