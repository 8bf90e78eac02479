package jacquard.clip.eval.layouts.annotated;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.eval.layouts.TextFile;
import jacquard.clip.settings.FirstBytes;
import jacquard.clip.settings.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Annotations in JSON.
public final class JsonFile {
  private static final long LARGEST = 512L << 20;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private JsonFile() {}

  public static JsonNode read(Path file) throws IOException {
    if (Files.size(file) > LARGEST)
      throw new IOException("%s: %,d bytes, expected at most %,d".formatted(file, Files.size(file), LARGEST));
    FirstBytes.refuse(file);
    try (var in = Files.newInputStream(file)) { return MAPPER.readTree(in); }
    catch (JsonProcessingException e) {
      throw new IOException(file + " is no JSON: " + Json.said(e), e);
    }
  }

  /// The elements of an array, the values of an object in its order, or of a `.jsonl` file the lines.
  static List<JsonNode> all(Path file) throws IOException {
    var r = new ArrayList<JsonNode>();
    if (file.toString().endsWith(".jsonl")) {
      for (var line : TextFile.text(file).lines().toList()) if (!line.isBlank()) {
        try { r.add(MAPPER.readTree(line)); }
        catch (JsonProcessingException e) { throw new IOException(file + ": a line is no JSON: "
            + Json.said(e), e); }
      }
    } else read(file).forEach(r::add);
    if (r.isEmpty()) throw new IOException(file + " is empty");
    return r;
  }
}
