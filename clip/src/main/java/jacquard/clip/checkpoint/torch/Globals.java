package jacquard.clip.checkpoint.torch;

import jacquard.clip.checkpoint.Stored;
import jacquard.clip.checkpoint.torch.Value.Global;
import jacquard.clip.checkpoint.torch.Value.Instance;
import jacquard.clip.checkpoint.torch.Value.Memory;
import jacquard.clip.checkpoint.torch.Value.Strided;
import jacquard.clip.checkpoint.torch.Value.Tuple;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The names of Python's that a file of weights may use, and what a call of each makes. Nothing is called: each is a
/// rule of ours. A name that is not here is refused.
final class Globals {
  /// Storages by the name of their class, `torch.NAMEStorage`.
  private static final Map<String, Stored> STORAGES = Map.of("DoubleStorage", Stored.F64, "FloatStorage", Stored.F32,
      "HalfStorage", Stored.F16, "BFloat16Storage", Stored.BF16,
      "LongStorage", Stored.I64, "IntStorage", Stored.I32, "ShortStorage", Stored.I16, "CharStorage", Stored.I8,
      "ByteStorage", Stored.U8, "BoolStorage", Stored.BOOL);
  /// Element types, `torch.NAME`.
  private static final Map<String, Stored> TYPES =
      Map.ofEntries(Map.entry("float64", Stored.F64), Map.entry("double", Stored.F64), Map.entry("float32", Stored.F32),
      Map.entry("float", Stored.F32),
      Map.entry("float16", Stored.F16), Map.entry("half", Stored.F16), Map.entry("bfloat16", Stored.BF16),
      Map.entry("int64", Stored.I64), Map.entry("int32", Stored.I32), Map.entry("int16", Stored.I16),
      Map.entry("int8", Stored.I8), Map.entry("uint8", Stored.U8), Map.entry("bool", Stored.BOOL));
  private static final Set<String> KNOWN = Set.of("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
      "torch._utils._rebuild_tensor_v3", "torch._utils._rebuild_parameter",
      "torch._utils._rebuild_parameter_with_state", "torch._tensor._rebuild_from_type_v2",
      "torch.nn.parameter.Parameter", "torch.Tensor", "torch.Size", "torch.device", "torch.storage.UntypedStorage",
      "collections.OrderedDict", "torch.jit._pickle.restore_type_tag", "torch.jit._pickle.build_intlist",
      "torch.jit._pickle.build_doublelist", "torch.jit._pickle.build_boollist",
      "torch.jit._pickle.build_tensorlist");
  private static final int MOST_AXES = 16;

  private Globals() {}

  /// @throws IOException if it is none that weights need
  static Global of(String module, String name) throws IOException {
    var g = new Global(module, name);
    boolean known = KNOWN.contains(g.toString()) || module.equals("torch")
        && (STORAGES.containsKey(name) || TYPES.containsKey(name)) || module.startsWith("__torch__.")
        || module.equals("__torch__");
    if (known) return g;
    throw new IOException("the pickle names " + g
        + ", which no weights need: the file is refused, and nothing of it was run");
  }

  /// What a call makes.
  static Object called(Object function, Object arguments) throws IOException {
    if (!(function instanceof Global g) || !(arguments instanceof Tuple(var a)))
      throw new IOException("the pickle calls something that has no name");
    return switch (g.toString()) {
      case "collections.OrderedDict" -> ordered(a);
      case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2" -> strided(a, null);
      case "torch._utils._rebuild_tensor_v3" ->
          strided(a, argument(a, 6) instanceof Global(var module, var name) && module.equals("torch") ? TYPES.get(name)
              : null);
      case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state" -> tensor(argument(a, 0));
      case "torch._tensor._rebuild_from_type_v2" -> {
        if (g.equals(argument(a, 0))) throw new IOException("a tensor is rebuilt within itself");
        yield tensor(called(argument(a, 0), argument(a, 2)));
      }
      case "torch.Size", "torch.jit._pickle.build_intlist", "torch.jit._pickle.build_doublelist",
          "torch.jit._pickle.build_boollist", "torch.jit._pickle.build_tensorlist",
          "torch.jit._pickle.restore_type_tag", "torch.device" -> argument(a, 0);
      default -> throw new IOException("the pickle calls " + g + ", which makes no tensor: the file is refused");
    };
  }

  private static Object ordered(List<Object> a) throws IOException {
    var r = new LinkedHashMap<>();
    if (a.isEmpty()) return r;
    if (!(a.getFirst() instanceof List<?> pairs)) throw new IOException("an OrderedDict is made of no list");
    for (var p : pairs) {
      var pair = p instanceof Tuple(var items) ? items : p;
      if (!(pair instanceof List<?> two) || two.size() != 2)
        throw new IOException("an OrderedDict is made of no pairs");
      r.put(key(two.get(0)), two.get(1));
    }
    return r;
  }

  /// What may be a key: nothing that holds others, which might hold itself.
  static Object key(Object o) throws IOException {
    if (o == null || o instanceof String || o instanceof Long || o instanceof Boolean || o instanceof Double) return o;
    throw new IOException("a key is " + Value.said(o) + ", expected a text or a number");
  }

  /// What `object.__new__` of a class makes.
  static Object made(Object kind) throws IOException {
    if (kind instanceof Global g && g.module().startsWith("__torch__")) return Instance.of(g);
    if (kind instanceof Global g && g.toString().equals("collections.OrderedDict")) return new LinkedHashMap<>();
    throw new IOException("the pickle makes an object of " + Value.said(kind)
        + ", which no weights need: the file is refused");
  }

  /// `("storage", CLASS, KEY, DEVICE, ELEMENTS[, (VIEW, FROM, ELEMENTS)])`
  static Memory memory(Object id) throws IOException {
    if (!(id instanceof Tuple(var a)) || a.size() < 5 || !"storage".equals(a.get(0))
        || !(a.get(1) instanceof Global kind) || !(a.get(2) instanceof String key) || !(a.get(4) instanceof Long count)
        || count < 0)
      throw new IOException("a tensor names no memory that is known");
    var stored = STORAGES.get(kind.name());
    if (stored == null && !kind.name().equals("UntypedStorage"))
      throw new IOException("a tensor's memory is " + kind + ", expected one of torch's "
          + String.join(", ", STORAGES.keySet().stream().sorted().toList()));
    if (a.size() > 5 && a.get(5) instanceof Tuple(var view) && view.size() == 3 && view.get(1) instanceof Long from
        && view.get(2) instanceof Long elements && from >= 0 && elements >= 0)
      return new Memory(key, stored, elements, from);
    return new Memory(key, stored, count, 0);
  }

  /// `(memory, offset, size, stride, …)`, inside its memory.
  private static Strided strided(List<Object> a, Stored type) throws IOException {
    if (!(argument(a, 0) instanceof Memory memory) || !(argument(a, 1) instanceof Long offset))
      throw new IOException("a tensor is rebuilt from no memory");
    var stored = memory.stored() != null ? memory.stored() : type;
    if (stored == null) throw new IOException("a tensor has a type that is not known");
    long[] size = longs(argument(a, 2), "size"), stride = longs(argument(a, 3), "stride");
    if (size.length != stride.length)
      throw new IOException("a tensor has " + size.length + " sizes and " + stride.length + " strides");
    long room = memory.stored() == null ? memory.count() / stored.bytes() : memory.count(), last = offset, count = 1;
    try {
      for (int i = 0; i < size.length; i++) {
        if (size[i] > Integer.MAX_VALUE) throw new IOException("a tensor has an axis of " + size[i]);
        count = Math.multiplyExact(count, size[i]);
        if (size[i] > 0) last = Math.addExact(last, Math.multiplyExact(size[i] - 1, stride[i]));
      }
    } catch (ArithmeticException e) { throw new IOException("a tensor's sizes overflow", e); }
    if (offset < 0 || count > 0 && last >= room || count > room)
      throw new IOException("a tensor of " + count + " elements up to the " + last + "th lies outside its memory of "
          + room);
    return new Strided(memory, stored, offset, size, stride);
  }

  private static long[] longs(Object o, String what) throws IOException {
    var list = o instanceof Tuple(var items) ? items : o;
    if (!(list instanceof List<?> l) || l.size() > MOST_AXES)
      throw new IOException("a tensor's " + what + " is no list of at most " + MOST_AXES + " numbers");
    long[] r = new long[l.size()];
    for (int i = 0; i < r.length; i++) {
      if (!(l.get(i) instanceof Long n) || n < 0)
        throw new IOException("a tensor's " + what + " holds " + Value.said(l.get(i)) + ", expected a number from 0");
      r[i] = n;
    }
    return r;
  }

  private static Strided tensor(Object o) throws IOException {
    if (o instanceof Strided t) return t;
    throw new IOException("a parameter holds no tensor");
  }

  private static Object argument(List<Object> a, int i) throws IOException {
    if (i < a.size()) return a.get(i);
    throw new IOException("a call has " + a.size() + " arguments, expected " + (i + 1) + " or more");
  }
}
