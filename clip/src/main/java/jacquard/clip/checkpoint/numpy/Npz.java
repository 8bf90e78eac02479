package jacquard.clip.checkpoint.numpy;

import jacquard.clip.checkpoint.Composed;
import jacquard.clip.checkpoint.Elements;
import jacquard.clip.checkpoint.Piece;
import jacquard.clip.checkpoint.Stored;
import jacquard.clip.checkpoint.Weights;
import jacquard.clip.checkpoint.files.Mapping;
import jacquard.clip.checkpoint.torch.Archive;
import jacquard.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/// NumPy's `.npz`: a zip archive of `.npy` arrays, as big_vision has its weights. An array is a header, `\x93NUMPY`,
/// version, length, `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, then its elements.
public final class Npz {
  private static final Map<String, Stored> TYPES = Map.of("<f8", Stored.F64, "<f4", Stored.F32, "<f2", Stored.F16,
      "<i8", Stored.I64, "<i4", Stored.I32, "<i2", Stored.I16, "|i1", Stored.I8, "|u1", Stored.U8, "|b1", Stored.BOOL);
  private static final Pattern HEADER =
      Pattern.compile("\\{\\s*'descr':\\s*'([^']{1,16})',\\s*'fortran_order':\\s*(True|False),"
      + "\\s*'shape':\\s*\\(([0-9, ]*)\\),?\\s*\\}\\s*");

  private Npz() {}

  /// Its arrays, read when they are asked for.
  public static Weights open(Path file) throws IOException {
    var mapping = Mapping.open(file);
    boolean open = false;
    try {
      var zip = new Archive(mapping);
      var arrays = new LinkedHashMap<String, Piece>();
      for (var n : zip.names()) {
        if (!n.endsWith(".npy")) throw new IOException("the archive holds " + n + ", expected arrays (.npy)");
        try { arrays.put(n.substring(0, n.length() - 4), array(zip.data(n))); } catch (IOException e) {
          throw new IOException(n + ": " + e.getMessage(), e);
        }
      }
      open = true;
      return new Composed(file, arrays, mapping);
    } catch (IOException e) {
      throw new IOException(file + ": not an .npz that can be read: " + e.getMessage(), e);
    } finally {
      if (!open) mapping.close();
    }
  }

  private static Piece array(MemorySegment bytes) throws IOException {
    long size = bytes.byteSize();
    byte[] first = bytes.asSlice(0, Math.min(12, size)).toArray(ValueLayout.JAVA_BYTE);
    if (first.length < 12 || first[0] != (byte) 0x93
        || !new String(first, 1, 5, StandardCharsets.ISO_8859_1).equals("NUMPY"))
      throw new IOException("no array of NumPy");
    boolean old = first[6] == 1;
    int begin = old ? 10 : 12;
    long length = old ? bytes.get(Elements.SHORT, 8) & 0xffff : bytes.get(Elements.INT, 8) & 0xffffffffL;
    if (length > size - begin || length > 1 << 16) throw new IOException("a header of " + length + " bytes");
    var text = new String(bytes.asSlice(begin, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
    var m = HEADER.matcher(text);
    if (!m.matches()) throw new IOException("a header that is not known");
    var stored = TYPES.get(m.group(1));
    if (stored == null)
      throw new IOException("elements of type " + m.group(1) + ", expected one of "
          + TYPES.keySet().stream().sorted().toList());
    int[] dims;
    long count = stored.bytes();
    try {
      dims = Arrays.stream(m.group(3).split(",")).map(String::strip).filter(d -> !d.isEmpty())
          .mapToInt(Integer::parseInt).toArray();
      for (int d : dims) count = Math.multiplyExact(count, (long) d);
    } catch (NumberFormatException | ArithmeticException e) { throw new IOException("the shape (" + m.group(3)
        + ") is too large", e);
    }
    if (dims.length > 16 || count != size - begin - length)
      throw new IOException("the shape (" + m.group(3) + ") of " + stored + " wants " + count + " bytes, there are "
          + (size - begin - length));
    var data = bytes.asSlice(begin + length);
    if (m.group(2).equals("False")) return new Piece(stored, Shape.of(dims), () -> data);
    int[] turned = new int[dims.length], axes = new int[dims.length];
    for (int i = 0; i < dims.length; i++) turned[i] = dims[axes[i] = dims.length - 1 - i];
    return new Piece(stored, Shape.of(turned), () -> data).turned(axes);
  }
}
