package jacquard.clip.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Named arrays in a file or several.
public sealed interface Weights extends AutoCloseable permits Safetensors, Sharded {
  List<String> names();
  int[] shape(String name) throws IOException;
  float[] floats(String name) throws IOException;
  long[] longs(String name) throws IOException;
  @Override void close();

  /// A `.safetensors` file, an index of shards (`….safetensors.index.json`), or a folder with either.
  static Weights open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      for (var name : List.of("open_clip_model.safetensors", "model.safetensors", "model.safetensors.index.json"))
        if (Files.exists(path.resolve(name))) return open(path.resolve(name));
      throw new IOException(path + ": expected open_clip_model.safetensors, model.safetensors or model.safetensors.index.json in this folder");
    }
    return path.toString().endsWith(".index.json") ? Sharded.open(path) : Safetensors.open(path);
  }
}
