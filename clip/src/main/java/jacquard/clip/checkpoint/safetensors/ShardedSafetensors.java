package jacquard.clip.checkpoint.safetensors;

import jacquard.clip.checkpoint.Weights;
import jacquard.clip.settings.Json;
import jacquard.clip.settings.Nearest;
import jacquard.tensor.Storage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Safetensors files that together hold a model, and their index:
/// `{"metadata": {…}, "weight_map": {"NAME": "FILE", …}}`. A file must lie beside the index.
public final class ShardedSafetensors implements Weights {
  private final Path index;
  private final Map<String, Safetensors> owners;
  private final List<Safetensors> shards;
  private final List<String> names;

  private ShardedSafetensors(Path index, Map<String, Safetensors> owners, List<Safetensors> shards) {
    this.index = index;
    this.owners = owners;
    this.shards = shards;
    this.names = List.copyOf(owners.keySet());
  }

  /// @throws IOException naming the index or the shard and what is wrong with it
  public static ShardedSafetensors open(Path index) throws IOException {
    if (!(Json.read(index).get("weight_map") instanceof Map<?, ?> map))
      throw new IOException(index + ": weight_map is missing, expected a section");
    var shards = new LinkedHashMap<String, Safetensors>();
    var owners = new LinkedHashMap<String, Safetensors>();
    boolean open = false;
    try {
      for (var e : map.entrySet()) {
        String file = plain(index, (String) e.getKey(), e.getValue());
        var shard = shards.get(file);
        if (shard == null) shards.put(file, shard = Safetensors.open(index.resolveSibling(file)));
        if (!shard.contains((String) e.getKey()))
          throw new IOException(shard.file() + ": no tensor " + e.getKey() + ", which " + index + " looks for there");
        owners.put((String) e.getKey(), shard);
      }
      open = true;
      return new ShardedSafetensors(index, Collections.unmodifiableMap(owners), List.copyOf(shards.values()));
    } finally {
      if (!open) shards.values().forEach(Safetensors::close);
    }
  }

  private static String plain(Path index, String name, Object file) throws IOException {
    if (file instanceof String s && s.matches("[A-Za-z0-9_-][A-Za-z0-9._-]*\\.safetensors")) return s;
    throw new IOException(index + ": weight_map gives " + name + " the file \"" + file
        + "\", expected the plain name of a .safetensors file beside the index");
  }

  @Override public Path file() { return index; }

  @Override public List<String> names() { return names; }

  @Override public boolean contains(String name) { return owners.containsKey(name); }

  /// What the shards' writers noted; of a key in several shards the first.
  @Override public Map<String, String> metadata() {
    var metadata = new LinkedHashMap<String, String>();
    for (var shard : shards) shard.metadata().forEach(metadata::putIfAbsent);
    return metadata;
  }

  @Override public Entry entry(String name) throws IOException { return owner(name).entry(name); }

  @Override public MemorySegment bytes(String name) throws IOException { return owner(name).bytes(name); }

  @Override public Storage.Source source(String name) throws IOException { return owner(name).source(name); }

  private Safetensors owner(String name) throws IOException {
    var shard = owners.get(name);
    if (shard != null) return shard;
    throw new IOException(index + ": no tensor " + name + Nearest.of(name, names).map(n -> ". Did you mean " + n
        + "?").orElse(""));
  }

  @Override public void close() { shards.forEach(Safetensors::close); }
}
