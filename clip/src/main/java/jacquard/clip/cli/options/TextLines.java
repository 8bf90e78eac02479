package jacquard.clip.cli.options;

import jacquard.clip.settings.FirstBytes;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The lines of a UTF-8 text, one after another; a byte-order mark is skipped.
public final class TextLines implements AutoCloseable {
  private final Path file;
  private final BufferedReader reader;
  private boolean first = true;

  public TextLines(Path file) throws IOException {
    this.file = file;
    if (Files.isDirectory(file)) throw new IOException(file + " is a folder, expected a text file");
    reader = Files.newBufferedReader(file);
  }

  /// The next line, null at the end.
  ///
  /// @throws IOException naming the file, if it is no UTF-8 text
  public String next() throws IOException {
    try {
      var line = reader.readLine();
      if (first && line != null && line.startsWith("\ufeff")) line = line.substring(1);
      first = false;
      return line;
    } catch (CharacterCodingException e) {
      throw new IOException(file + " is no UTF-8 text, expected a text a line"
          + FirstBytes.unlikeUtf8(file), e);
    }
  }

  @Override public void close() throws IOException { reader.close(); }
}
