package jacquard.clip.text.hub;

import java.io.IOException;
import java.nio.file.Path;

/// Folders from before `tokenizer.json`.
final class OlderFiles {
  private OlderFiles() {}

  static Pipeline read(Path folder, HubConfig config) throws IOException { throw new IOException(folder + " holds no tokenizer.json"); }
}
