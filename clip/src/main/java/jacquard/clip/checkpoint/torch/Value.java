package jacquard.clip.checkpoint.torch;

import jacquard.clip.checkpoint.Stored;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a pickle may hold beside Java's own numbers, texts, lists and maps.
sealed interface Value {
  /// A value in a message: what holds others is only named, since it may hold itself.
  static String said(Object o) {
    return switch (o) {
      case null -> "None";
      case String s -> "\"" + (s.length() > 60 ? s.substring(0, 60) + "…" : s) + "\"";
      case Number n -> n.toString();
      case Boolean b -> b.toString();
      case Global g -> g.toString();
      case Instance i -> i.kind.toString();
      case Tuple _, List<?> _ -> "a list";
      case Map<?, ?> _ -> "a dictionary";
      case Memory _, Strided _ -> "a tensor";
      default -> "a value";
    };
  }

  /// A name of Python's that the pickle may use: one of [Globals], never what it stands for.
  record Global(String module, String name) implements Value {
    @Override public String toString() { return module + "." + name; }
  }

  record Tuple(List<Object> items) implements Value {}

  /// The memory of a tensor.
  ///
  /// @param stored null for bytes of no type
  /// @param count elements, or bytes where there is no type
  /// @param from the first element within the storage of this key, of which it is a view
  record Memory(String key, Stored stored, long count, long from) implements Value {}

  record Strided(Memory memory, Stored stored, long offset, long[] size, long[] stride) implements Value {}

  /// A module of TorchScript: its attributes.
  record Instance(Global kind, Map<String, Object> attributes) implements Value {
    static Instance of(Global kind) { return new Instance(kind, new LinkedHashMap<>()); }
  }
}
