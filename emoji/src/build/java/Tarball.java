import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/// The files of an npm package: a gzipped ustar (name in bytes 0–99, size in octal at 124), everything under
/// `package/`.
record Tarball(Path file, Map<String, byte[]> entries) {

  /// @param under only what begins so, e.g. `assets/`
  static Tarball read(Path file, String... under) throws IOException {
    var entries = new LinkedHashMap<String, byte[]>();
    try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
      byte[] head;
      while ((head = in.readNBytes(512)).length == 512 && head[0] != 0) {
        var name = new String(head, 0, 100, StandardCharsets.UTF_8).replaceAll("\0.*", "")
            .replaceFirst("^package/", "");
        int size = Integer.parseInt(new String(head, 124, 11, StandardCharsets.US_ASCII).trim(), 8);
        byte[] data = in.readNBytes(size);
        in.readNBytes((512 - size % 512) % 512);
        for (var u : under) if (name.startsWith(u)) entries.put(name, data);
      }
    }
    return new Tarball(file, entries);
  }

  boolean holds(String name) { return entries.containsKey(name); }

  Map<String, Object> json(String name) {
    if (!holds(name)) throw new IllegalStateException(file + " holds no " + name);
    return Json.object(Json.parse(new String(entries.get(name), StandardCharsets.UTF_8)));
  }
}
