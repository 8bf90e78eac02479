package jacquard.clip.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Several safetensors files and the index that says which holds what; all lie in the index's folder.
public final class Sharded implements Weights {
  private final Map<String, Safetensors> shards = new LinkedHashMap<>();
  private final Map<String, Safetensors> of = new LinkedHashMap<>();

  private Sharded() {}

  static Sharded open(Path index) throws IOException {
    var map = new ObjectMapper().readTree(Files.readAllBytes(index)).get("weight_map");
    if (map == null || !map.isObject()) throw new IOException(index + " has no weight_map");
    var r = new Sharded();
    try {
      for (var e : map.properties()) {
        var file = e.getValue().asText();
        if (!file.endsWith(".safetensors") || file.contains("/") || file.contains("\\")) throw new IOException(index + " places " + e.getKey() + " in \"" + file + "\", expected a .safetensors file of its own folder");
        var shard = r.shards.get(file);
        if (shard == null) r.shards.put(file, shard = Safetensors.open(index.resolveSibling(file)));
        shard.entry(e.getKey());
        r.of.put(e.getKey(), shard);
      }
      return r;
    } catch (IOException | RuntimeException e) {
      r.close();
      throw e;
    }
  }

  private Safetensors shard(String name) throws IOException {
    var s = of.get(name);
    if (s == null) throw new IOException("no shard has a tensor " + name);
    return s;
  }

  @Override public List<String> names() { return List.copyOf(of.keySet()); }
  @Override public int[] shape(String name) throws IOException { return shard(name).shape(name); }
  @Override public float[] floats(String name) throws IOException { return shard(name).floats(name); }
  @Override public long[] longs(String name) throws IOException { return shard(name).longs(name); }
  @Override public void close() { shards.values().forEach(Safetensors::close); }
}
