package jacquard.clip.train.ranks;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.train.task.Rows;
import jacquard.tensor.Group;
import jacquard.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A checkpoint of which each rank writes about an R-th: whole tensors under their names, in a file of its own, which
/// an index lists. Any number of ranks reads them; no rank has more than one whole tensor at a time.
public final class Parts {
  private Parts() {}

  public static String index(String name) { return name + ".safetensors.index.json"; }

  /// Writes one, which all ranks do together. The index comes last, by rename; then the files of the one before go.
  ///
  /// @param step     in the files' names
  /// @param all      in the same order on all ranks, elements of cut tensors being fetched from the others
  /// @param metadata of each file
  public static void write(Path folder, String name, long step, SequencedMap<String, Safetensors.Array> all,
      Map<String, String> metadata, Rows rows) throws IOException {
    var group = Group.current();
    var files = new LinkedHashMap<String, String>();
    var own = new LinkedHashMap<String, Safetensors.Array>();
    long total = all.values().stream().mapToLong(Parts::bytes).sum(), before = 0;
    for (var e : all.entrySet()) {
      int rank = (int) Math.min(group.size() - 1, before * group.size() / Math.max(1, total));
      files.put(e.getKey(), "%s-%d-%05d-of-%05d.safetensors".formatted(name, step, rank + 1, group.size()));
      if (rank == group.rank()) own.put(e.getKey(), e.getValue());
      before += bytes(e.getValue());
    }
    for (int r = 0; r < group.size(); r++) {
      if (r != group.rank()) {
        rows.give();
        continue;
      }
      if (!own.isEmpty()) Safetensors.write(folder.resolve(files.get(own.firstEntry().getKey())), own, metadata);
      rows.done();
    }
    if (group.rank() > 0) return;
    var root = new ObjectMapper().createObjectNode();
    root.putObject("metadata").put("total_size", total);
    var map = root.putObject("weight_map");
    files.forEach(map::put);
    AtomicFile.write(folder.resolve(index(name)), root.toPrettyString() + "\n");
    remove(folder, name, List.copyOf(files.values()));
  }

  private static long bytes(Safetensors.Array a) { return Shape.of(a.shape()).size() * a.stored().bytes(); }

  /// Takes away the index and its files.
  public static void remove(Path folder, String name) throws IOException {
    Files.deleteIfExists(folder.resolve(index(name)));
    remove(folder, name, List.of());
  }

  private static void remove(Path folder, String name, List<String> but) throws IOException {
    var part = Pattern.compile(Pattern.quote(name) + "-\\d+-\\d{5}-of-\\d{5}\\.safetensors");
    var old = new ArrayList<Path>();
    try (Stream<Path> files = Files.list(folder)) {
      files.filter(f -> part.matcher(f.getFileName().toString()).matches()
          && !but.contains(f.getFileName().toString())).forEach(old::add);
    }
    for (var f : old) Files.delete(f);
  }
}
