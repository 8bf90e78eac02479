package jacquard.clip.checkpoint.onnx;

import jacquard.clip.checkpoint.Composed;
import jacquard.clip.checkpoint.Piece;
import jacquard.clip.checkpoint.Stored;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.files.Mapping;
import jacquard.clip.settings.Count;
import jacquard.clip.settings.Reason;
import jacquard.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The initialisers of an ONNX file (`ModelProto.graph.initializer`) as weights, where the exporter left them the names
/// of their parameters. Those that it made itself (`onnx::MatMul_81`, `/Constant_output_0`) are passed over: which
/// parameter they come from, and whether they are transposed, the file does not say. Tensors stay in the mapped file.
public final class Onnx {
  /// Fields of `ModelProto`, `GraphProto` and `TensorProto`.
  private static final int GRAPH = 7, INITIALIZER = 5, DIMS = 1, TYPE = 2, FLOATS = 4, INTS = 5, LONGS = 7, NAME = 8,
      RAW = 9, DOUBLES = 10, EXTERNAL = 13, LOCATION = 14;
  private static final int MOST = 1 << 20, MOST_AXES = 16;
  /// Element types by their number.
  private static final Map<Long, Stored> TYPES = Map.of(1L, Stored.F32, 2L, Stored.U8, 3L, Stored.I8, 5L, Stored.I16,
      6L, Stored.I32, 7L, Stored.I64, 9L, Stored.BOOL, 10L, Stored.F16, 11L, Stored.F64, 16L, Stored.BF16);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Onnx() {}

  /// @throws IOException naming the file, and the tensor that cannot be read
  public static Weights open(Path file) throws IOException {
    var mapping = Mapping.open(file);
    boolean open = false;
    try {
      var tensors = new LinkedHashMap<String, Piece>();
      int nameless = 0, graphs = 0;
      for (var model = new Wire(mapping.bytes()); model.next(); ) {
        if (model.field() != GRAPH) continue;
        graphs++;
        for (var graph = new Wire(model.content()); graph.next(); ) {
          if (graph.field() != INITIALIZER) continue;
          var name = name(graph.content());
          if (!name.matches("[\\w.]+")) nameless++;
          else if (tensors.put(name, tensor(name, graph.content())) != null)
            throw new IOException("it names " + name + " twice");
          if (tensors.size() + nameless > MOST) throw new IOException("it holds more than " + MOST + " tensors");
        }
      }
      if (graphs == 0) throw new IOException("it holds no graph");
      if (tensors.isEmpty())
        throw new IOException(nameless == 0 ? "it holds no initialisers" : "none of its "
            + Count.of(nameless, "initialiser") + " has the name of a parameter; export the model with their names");
      open = true;
      return new Composed(file, tensors, mapping);
    } catch (IOException e) {
      throw new IOException(file + ": not weights of ONNX that can be read: " + Reason.of(e), e);
    } finally { if (!open) mapping.close(); }
  }

  private static String name(MemorySegment tensor) throws IOException {
    var r = "";
    for (var t = new Wire(tensor); t.next(); )
      if (t.field() == NAME) {
        if (t.content().byteSize() > 1 << 12) throw new IOException("a name of " + t.content().byteSize() + " bytes");
        r = new String(t.content().toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
      }
    return r;
  }

  private static Piece tensor(String name, MemorySegment tensor) throws IOException {
    long type = 0;
    var dims = new ArrayList<Long>();
    MemorySegment data = null;
    int from = 0;
    for (var t = new Wire(tensor); t.next(); )
      switch (t.field()) {
        case DIMS -> {
          if (t.isNumber()) dims.add(t.number());
          else for (var packed = new Wire(t.content()); !packed.ended(); ) axis(name, dims, packed.varint());
          if (dims.size() > MOST_AXES) throw new IOException(name + " has more than " + MOST_AXES + " axes");
        }
        case TYPE -> type = t.number();
        case FLOATS, INTS, LONGS, DOUBLES, RAW -> {
          if (t.isNumber() || data != null)
            throw new IOException(name + " has its elements in several fields, expected one");
          data = t.content();
          from = t.field();
        }
        case EXTERNAL, LOCATION -> {
          if (t.field() == EXTERNAL || t.number() != 0)
            throw new IOException(name + " has its elements in another file, which is not read");
        }
        default -> { }
      }
    var stored = TYPES.get(type);
    if (stored == null)
      throw new IOException(name + " has elements of the type " + type + ", expected one of " + TYPES.keySet());
    var shape = shape(name, dims);
    var bytes = data == null ? MemorySegment.ofArray(new byte[0]) : elements(name, stored, from, data, shape.size());
    long expected = Math.multiplyExact(shape.size(), (long) stored.bytes());
    if (bytes.byteSize() != expected)
      throw new IOException(name + " has " + bytes.byteSize() + " bytes, expected " + expected + " for " + shape);
    return new Piece(stored, shape, () -> bytes);
  }

  private static void axis(String name, List<Long> dims, long d) throws IOException {
    if (dims.size() >= MOST_AXES) throw new IOException(name + " has more than " + MOST_AXES + " axes");
    dims.add(d);
  }

  private static Shape shape(String name, List<Long> dims) throws IOException {
    long count = 1;
    int[] r = new int[dims.size()];
    for (int i = 0; i < r.length; i++) {
      long d = dims.get(i);
      if (d < 0 || d > Integer.MAX_VALUE) throw new IOException(name + " has an axis of " + d);
      r[i] = (int) d;
      if (count > 0 && d > 0 && count > Long.MAX_VALUE / 16 / d)
        throw new IOException(name + "'s axes overflow: " + dims);
      count *= d;
    }
    return Shape.of(r);
  }

  /// Where the elements lie as a file of weights has them; whole numbers that are written seven bits a byte are
  /// unpacked. A byte holds at most one of them, so the file's size bounds what is made.
  private static MemorySegment elements(String name, Stored stored, int from, MemorySegment data, long count)
      throws IOException {
    boolean fits = switch (from) {
      case RAW -> true;
      case FLOATS -> stored == Stored.F32;
      case DOUBLES -> stored == Stored.F64;
      case LONGS -> stored == Stored.I64;
      default -> stored != Stored.F32 && stored != Stored.F64 && stored != Stored.I64;
    };
    if (!fits) throw new IOException(name + " is " + stored + ", but its elements lie in field " + from);
    if (from == RAW || from == FLOATS || from == DOUBLES) return data;
    if (count > data.byteSize() || count > Integer.MAX_VALUE / 8)
      throw new IOException(name + " would have " + count + " elements in " + data.byteSize() + " bytes");
    var r = MemorySegment.ofArray(new byte[(int) count * stored.bytes()]);
    var packed = new Wire(data);
    for (long i = 0; i < count; i++) {
      long v = packed.varint();
      switch (stored.bytes()) {
        case 8 -> r.set(LONG, 8 * i, v);
        case 4 -> r.set(INT, 4 * i, (int) v);
        case 2 -> {
          r.set(ValueLayout.JAVA_BYTE, 2 * i, (byte) v);
          r.set(ValueLayout.JAVA_BYTE, 2 * i + 1, (byte) (v >> 8));
        }
        default -> r.set(ValueLayout.JAVA_BYTE, i, (byte) v);
      }
    }
    if (!packed.ended()) throw new IOException(name + " has more elements than its shape");
    return r;
  }
}
