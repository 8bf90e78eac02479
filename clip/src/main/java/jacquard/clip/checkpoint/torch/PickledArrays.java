package jacquard.clip.checkpoint.torch;

import jacquard.clip.checkpoint.files.Mapping;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// A dictionary that Python pickled, of NumPy's arrays of bytes and of lists of numbers, as CIFAR's "python version"
/// is. A pickle is a program: nothing of it is run, and one that names anything else is refused.
public final class PickledArrays {
  private final Path file;
  private final Map<?, ?> all;

  private PickledArrays(Path file, Map<?, ?> all) {
    this.file = file;
    this.all = all;
  }

  /// @throws IOException naming the file and what is wrong with it
  public static PickledArrays read(Path file) throws IOException {
    var mapping = Mapping.open(file);
    try {
      if (Pickle.read(mapping.bytes(), 0, Pickle.Holding.ARRAYS).value() instanceof Map<?, ?> m)
        return new PickledArrays(file, m);
      throw new IOException("it holds no dictionary");
    } catch (IOException e) {
      throw new IOException(file + ": no dictionary of arrays that can be read (a Python pickle): " + Reason.of(e), e);
    } finally { mapping.close(); }
  }

  public boolean has(String key) { return all.containsKey(key); }

  /// An array of bytes, rows of so many.
  public byte[] bytes(String key, int columns) throws IOException {
    if (all.get(key) instanceof NumPy.Array(var shape, var code, var bytes) && code.equals("u1") && shape.length == 2
        && shape[1] == columns)
      return bytes.getBytes(StandardCharsets.ISO_8859_1);
    throw new IOException(file + ": its \"" + key + "\" is " + Value.said(all.get(key)) + ", expected an array of rows "
        + "of %,d bytes".formatted(columns));
  }

  /// A list of whole numbers.
  public int[] numbers(String key) throws IOException {
    if (all.get(key) instanceof List<?> l && l.stream().allMatch(n -> n instanceof Long v && v == v.intValue()))
      return l.stream().mapToInt(n -> ((Long) n).intValue()).toArray();
    throw new IOException(file + ": its \"" + key + "\" is " + Value.said(all.get(key))
        + ", expected a list of numbers");
  }
}
