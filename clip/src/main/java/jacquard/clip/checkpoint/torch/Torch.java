package jacquard.clip.checkpoint.torch;

import jacquard.clip.checkpoint.Composed;
import jacquard.clip.checkpoint.Piece;
import jacquard.clip.checkpoint.Stored;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.files.Mapping;
import jacquard.clip.checkpoint.torch.Value.Instance;
import jacquard.clip.checkpoint.torch.Value.Strided;
import jacquard.clip.settings.Reason;
import jacquard.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Weights that PyTorch saved: an archive of `torch.save`, its older pickle, or a TorchScript archive. Its tensors stay
/// in the mapped file.
public final class Torch {
  /// Where training checkpoints keep the weights.
  private static final List<String> SECTIONS = List.of("state_dict", "model_state_dict", "model", "module");
  /// Where they keep what their own trainer goes on with.
  private static final List<String> STATE = List.of("optimizer", "optimizer_state_dict", "optimizers", "scaler");
  private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
  private static final int DEEPEST = 64, MOST = 1 << 20;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Torch() {}

  /// The bytes of a memory by its key.
  @FunctionalInterface private interface Memories { MemorySegment of(String key) throws IOException; }

  private record Content(Object root, Memories memories) {}

  /// The model's weights in a file.
  ///
  /// @throws IOException naming the file and what is wrong with it
  public static Weights open(Path file) throws IOException { return open(file, null); }

  /// @param section the part of a training checkpoint, as `state_dict_ema`; null for the model's weights
  public static Weights open(Path file, String section) throws IOException {
    var mapping = Mapping.open(file);
    var bytes = mapping.bytes();
    boolean open = false, zip = bytes.byteSize() > 3 && bytes.get(ValueLayout.JAVA_BYTE, 0) == 'P';
    try {
      var content = zip ? archive(new Archive(mapping)) : older(bytes);
      var tensors = new LinkedHashMap<String, Piece>();
      for (var e : weights(content.root, section).entrySet())
        tensors.put(e.getKey(), piece(e.getKey(), e.getValue(), content.memories));
      if (tensors.isEmpty()) throw new IOException("it holds no tensors");
      open = true;
      return new Composed(file, tensors, section == null ? beside(content.root) : Map.of(), mapping);
    } catch (IOException e) {
      throw new IOException(file + ": not weights of PyTorch that can be read ("
          + (zip ? "a zip archive" : "a Python pickle") + "): " + Reason.of(e), e);
    } finally {
      if (!open) mapping.close();
    }
  }

  private static Content archive(Archive zip) throws IOException {
    String prefix = null;
    for (var n : zip.names())
      if (n.endsWith("/data.pkl") && n.indexOf('/') == n.length() - 9) prefix = n.substring(0, n.length() - 8);
    if (prefix == null) throw new IOException("the zip archive holds no data.pkl");
    var folder = prefix;
    if (zip.has(folder + "byteorder")) {
      var order = zip.data(folder + "byteorder");
      if (order.byteSize() != 6
          || !"little".equals(new String(order.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII)))
        throw new IOException("its numbers are big-endian, expected little");
    }
    return new Content(Pickle.read(zip.data(folder + "data.pkl"), 0).value(), key -> zip.data(folder + "data/" + key));
  }

  /// Magic, version and machine, then the object, then the keys of its memories, then for each its length and elements.
  private static Content older(MemorySegment bytes) throws IOException {
    var magic = Pickle.read(bytes, 0);
    if (!MAGIC.equals(magic.value())) throw new IOException("it is a pickle, but none that torch.save wrote");
    var version = Pickle.read(bytes, magic.end());
    if (!Long.valueOf(1001).equals(version.value()))
      throw new IOException("it has the version " + Value.said(version.value()) + ", expected 1001");
    var machine = Pickle.read(bytes, version.end());
    if (machine.value() instanceof Map<?, ?> m && Boolean.FALSE.equals(m.get("little_endian")))
      throw new IOException("its numbers are big-endian, expected little");
    var object = Pickle.read(bytes, machine.end());
    var keys = Pickle.read(bytes, object.end());
    if (!(keys.value() instanceof List<?> list)) throw new IOException("it lists no memories");
    var widths = new HashMap<String, Integer>();
    walk(object.value(), widths, 0, new int[1]);
    var found = new HashMap<String, MemorySegment>();
    long at = keys.end();
    for (var key : list) {
      if (!(key instanceof String k) || !widths.containsKey(k))
        throw new IOException("it lists a memory that no tensor of it has, of a length that is not known");
      long count = at + 8 <= bytes.byteSize() ? bytes.get(LONG, at) : -1, width = widths.get(k);
      if (count < 0 || count > (bytes.byteSize() - at - 8) / width)
        throw new IOException("the memory " + k + " does not lie inside the file; is it cut off?");
      found.put(k, bytes.asSlice(at + 8, count * width));
      at += 8 + count * width;
    }
    return new Content(object.value(), key -> {
      var m = found.get(key);
      if (m == null) throw new IOException("it has no memory " + key);
      return m;
    });
  }

  /// Bytes an element of each memory that tensors name, wherever they are.
  private static void walk(Object o, Map<String, Integer> widths, int depth, int[] visits) throws IOException {
    bounded(depth, visits);
    switch (o) {
      case Strided t -> widths.put(t.memory().key(), t.memory().stored() == null ? 1 : t.memory().stored().bytes());
      case Map<?, ?> m -> { for (var v : m.values()) walk(v, widths, depth + 1, visits); }
      case List<?> l -> { for (var v : l) walk(v, widths, depth + 1, visits); }
      case Value.Tuple(var items) -> { for (var v : items) walk(v, widths, depth + 1, visits); }
      case Instance i -> { for (var v : i.attributes().values()) walk(v, widths, depth + 1, visits); }
      case null, default -> {}
    }
  }

  private static void bounded(int depth, int[] visits) throws IOException {
    if (depth > DEEPEST || ++visits[0] > MOST)
      throw new IOException("it is nested deeper than " + DEEPEST + ", or holds more than " + MOST + " values");
  }

  private static Map<String, Strided> weights(Object root, String section) throws IOException {
    var r = new LinkedHashMap<String, Strided>();
    if (root instanceof Map<?, ?> m) {
      if (section != null && !(m.get(section) instanceof Map<?, ?>))
        throw new IOException("it has no section " + section + ", only " + m.keySet());
      for (var s : section != null ? List.of(section) : SECTIONS) {
        if (m.get(s) instanceof Instance i) return weights(i, null);
        if (m.get(s) instanceof Map<?, ?> inner) { m = inner; break; }
      }
      m.forEach((k, v) -> { if (k instanceof String name && v instanceof Strided t) r.put(name, t); });
    } else if (root instanceof Instance i) flatten("", i, r, 0, new int[1]);
    else throw new IOException("it holds no state dict, but " + Value.said(root));
    return r;
  }

  /// What a training checkpoint holds beside the weights: `optimizer` names the sections of a trainer's state, `epoch`
  /// says how far it was.
  private static Map<String, String> beside(Object root) {
    if (!(root instanceof Map<?, ?> m)) return Map.of();
    var r = new HashMap<String, String>();
    var state = STATE.stream().filter(s -> m.get(s) instanceof Map).toList();
    if (!state.isEmpty()) r.put("optimizer", String.join(", ", state));
    if (m.get("epoch") instanceof Long epoch) r.put("epoch", epoch.toString());
    return r;
  }

  /// A module's tensors by their paths.
  private static void flatten(String prefix, Instance module, Map<String, Strided> to, int depth, int[] visits)
      throws IOException {
    for (var e : module.attributes().entrySet()) {
      bounded(depth, visits);
      if (e.getValue() instanceof Strided t) to.put(prefix + e.getKey(), t);
      else if (e.getValue() instanceof Instance i) flatten(prefix + e.getKey() + ".", i, to, depth + 1, visits);
    }
  }

  private static Piece piece(String name, Strided t, Memories memories) throws IOException {
    var memory = memories.of(t.memory().key());
    Stored stored = t.stored();
    int width = stored.bytes();
    long unit = t.memory().stored() == null ? 1 : width, from = t.memory().from() * unit, size =
        t.memory().count() * unit;
    if (t.memory().count() > memory.byteSize() / unit || t.memory().from() > (memory.byteSize() - size) / unit)
      throw new IOException(name + ": its memory has " + memory.byteSize() + " bytes, expected " + t.memory().count()
          + " elements of " + unit + "; is the file cut off?");
    int[] dims = Arrays.stream(t.size()).mapToInt(Math::toIntExact).toArray();
    var shape = Shape.of(dims);
    var room = memory.asSlice(from, size);
    if (shape.size() == 0) return new Piece(stored, shape, () -> room.asSlice(0, 0));
    if (packed(dims, t.stride()))
      return new Piece(stored, shape, () -> room.asSlice(t.offset() * width, shape.size() * width));
    return new Piece(stored, shape, () -> Piece.gathered(room.asSlice(t.offset() * width), width, dims, t.stride()));
  }

  private static boolean packed(int[] dims, long[] stride) {
    long[] own = Piece.strides(dims);
    for (int i = 0; i < dims.length; i++) if (dims[i] != 1 && stride[i] != own[i]) return false;
    return true;
  }
}
