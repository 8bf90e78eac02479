package jacquard.clip.checkpoint.torch;

import jacquard.clip.checkpoint.torch.Value.Global;
import jacquard.clip.checkpoint.torch.Value.Tuple;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/// The names of Python's that a dictionary of NumPy's arrays may use, and what a call of each makes. Nothing is called.
final class NumPy {
  /// Bytes of an array.
  static final int LONGEST = 1 << 30;
  private static final Set<String> KNOWN = Set.of("numpy.core.multiarray._reconstruct",
      "numpy._core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype", "_codecs.encode");

  /// An array of which a state must follow.
  private record Blank() {}

  /// @param code as `u1`
  private record Kind(String code) {}

  /// Rows one behind the other.
  ///
  /// @param bytes a character a byte
  record Array(long[] shape, String code, String bytes) {}

  private NumPy() {}

  static Global of(String module, String name) throws IOException {
    var g = new Global(module, name);
    if (KNOWN.contains(g.toString())) return g;
    throw new IOException("the pickle names " + g
        + ", which no array needs: the file is refused, and nothing of it was run");
  }

  static Object called(Object function, Object arguments) throws IOException {
    if (!(function instanceof Global g) || !(arguments instanceof Tuple(var a)) || a.isEmpty())
      throw new IOException("the pickle calls something that has no name");
    return switch (g.toString()) {
      case "numpy.dtype" -> new Kind(text(a.getFirst()));
      case "_codecs.encode" -> text(a.getFirst());
      case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct" -> new Blank();
      default -> throw new IOException("the pickle calls " + g + ", which makes no array: the file is refused");
    };
  }

  /// What has got its state: `(version, shape, type, columns first, bytes)` of an array, `(version, order, …)` of a
  /// type.
  static Object built(Object target, Object state) throws IOException {
    if (!(state instanceof Tuple(var s))) throw new IOException("an array's state is " + Value.said(state));
    if (target instanceof Kind k) {
      if (s.size() < 2 || ">".equals(s.get(1))) throw new IOException("an array's numbers are big-endian");
      return k;
    }
    if (!(target instanceof Blank) || s.size() < 5 || !(s.get(2) instanceof Kind(var code))
        || !Boolean.FALSE.equals(s.get(3)))
      throw new IOException("an array's state is of no form that is known (rows first, of plain numbers)");
    var of = s.get(1) instanceof Tuple(var dims) ? dims : List.of();
    long[] shape = new long[of.size()];
    long count = 1;
    for (int i = 0; i < shape.length; i++) {
      if (!(of.get(i) instanceof Long n) || n < 0 || n > LONGEST) throw new IOException("an array's shape is " + of);
      shape[i] = n;
      count = count * n > LONGEST ? LONGEST + 1L : count * n;
    }
    var bytes = text(s.get(4));
    if (!code.matches("[biuf][1248]") || count * (code.charAt(1) - '0') != bytes.length())
      throw new IOException("an array of " + of + " of " + code + " has " + bytes.length() + " bytes");
    return new Array(shape, code, bytes);
  }

  private static String text(Object o) throws IOException {
    if (o instanceof String s) return s;
    throw new IOException("a call is given " + Value.said(o) + ", expected a text");
  }
}
