package jacquard.tests.clip;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/// The recorded cases that the tests carry.
public final class Fixtures {
  public static final ObjectMapper JSON = new ObjectMapper();

  private Fixtures() {}

  public static Path file(String name) {
    try {
      var url = Fixtures.class.getResource("/fixtures/" + name);
      if (url == null) throw new IllegalArgumentException("no fixture " + name);
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Every model of OpenCLIP's registry: name → `cfg`, `parameters`, `state` (tensor name → shape).
  public static JsonNode registry() throws IOException {
    try (var in = new GZIPInputStream(Files.newInputStream(file("registry/registry.json.gz")))) {
      return JSON.readTree(in).get("models");
    }
  }
}
