package jacquard.clip.data.parquet;

import jacquard.clip.checkpoint.numpy.Npz;
import jacquard.clip.checkpoint.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Keeps the samples of a shard whose number in a column of the Parquet file beside it is large enough. What is no
/// column there is an array of the `.npz`: a number a row, or features `COLUMN_img` and `COLUMN_txt`, of which the
/// cosine counts.
///
/// @param column a column of numbers
/// @param least  the least number that stays
public record Scores(String column, double least) implements Keeps {
  private static final String NPZ = ".npz", PARQUET = ".parquet";

  /// `COLUMN=LEAST`.
  public static Scores parse(String text) {
    int at = text.lastIndexOf('=');
    try {
      if (at > 0) return new Scores(text.substring(0, at).strip(), Double.parseDouble(text.substring(at + 1).strip()));
    } catch (NumberFormatException none) {
      throw new IllegalArgumentException("--min-score " + text + ": \"" + text.substring(at + 1) + "\" is no number",
          none);
    }
    throw new IllegalArgumentException("--min-score " + text + ", expected COLUMN=NUMBER");
  }

  @Override public String reason() { return "whose " + column + " is below " + least + ", or missing"; }

  /// By a Parquet file alone.
  public Set<String> kept(String name, byte[] file) throws IOException { return kept(Sidecar.of(name, file)); }

  @Override public Set<String> kept(Sidecar beside) throws IOException {
    var table = Table.beside(beside);
    if (!table.has(Sidecar.KEY) || table.has(column)) return ofColumn(table);
    byte[] npz;
    try { npz = beside.read(NPZ); }
    // it has no such column
    catch (IOException none) { return ofColumn(table); }
    var keys = new ArrayList<String>();
    table.read(List.of(Sidecar.KEY), v -> keys.add(v[0] == null ? null : v[0].toString()));
    double[] all = array(beside.name(NPZ), npz);
    if (all.length != keys.size())
      throw new IOException("%s has %,d numbers of %s, and %s has %,d rows".formatted(beside.name(NPZ), all.length,
          column, beside.name(PARQUET), keys.size()));
    var r = new HashSet<String>();
    for (int i = 0; i < all.length; i++) if (keys.get(i) != null && all[i] >= least) r.add(keys.get(i));
    return r;
  }

  private Set<String> ofColumn(Table table) throws IOException {
    var r = new HashSet<String>();
    table.read(List.of(Sidecar.KEY, column), v -> {
      if (v[0] == null || v[1] == null) return;
      if (!(v[1] instanceof Number n))
        throw new IOException(table.name() + ": column \"" + column + "\" holds no numbers");
      if (n.doubleValue() >= least) r.add(v[0].toString());
    });
    return r;
  }

  private double[] array(String name, byte[] npz) throws IOException {
    var file = Files.createTempFile("jacquard", NPZ);
    try {
      Files.write(file, npz);
      try (var arrays = Npz.open(file)) {
        if (arrays.names().contains(column)) return numbers(arrays.floats(column));
        var pair = List.of(column + "_img", column + "_txt");
        if (!arrays.names().containsAll(pair))
          throw new IOException("no array \"" + column + "\", nor " + String.join(" and ", pair) + "; found "
              + arrays.names());
        return cosines(arrays, pair);
      }
    } catch (IOException e) {
      throw new IOException(name + ": " + String.valueOf(e.getMessage()).replace(file + ": ", ""), e);
    } finally { Files.deleteIfExists(file); }
  }

  private static double[] numbers(float[] x) {
    double[] r = new double[x.length];
    for (int i = 0; i < r.length; i++) r[i] = x[i];
    return r;
  }

  private static double[] cosines(Weights arrays, List<String> pair) throws IOException {
    int[] s = arrays.shape(pair.getFirst());
    if (s.length != 2 || !java.util.Arrays.equals(s, arrays.shape(pair.getLast())))
      throw new IOException(pair + " are no features of as many rows and columns");
    float[] x = arrays.floats(pair.getFirst()), t = arrays.floats(pair.getLast());
    double[] r = new double[s[0]];
    for (int i = 0; i < r.length; i++) {
      double xt = 0, xx = 0, tt = 0;
      for (int k = i * s[1]; k < (i + 1) * s[1]; k++) {
        xt += (double) x[k] * t[k];
        xx += (double) x[k] * x[k];
        tt += (double) t[k] * t[k];
      }
      r[i] = xt / Math.sqrt(xx * tt);
    }
    return r;
  }
}
