package jacquard.clip.eval.features;

import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Failures;
import jacquard.clip.eval.layouts.Fingerprint;
import jacquard.clip.eval.sets.TestSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Normalised features, made once: those of a part of a set or of a list of texts lie in a file whose name is the hash
/// of the weights, the transform and the inputs. A run that is stopped loses the part in progress. A file that cannot
/// be read is made anew.
///
/// @param folder where they are kept; null for nowhere
/// @param model  the hash of weights, config and transform
public record FeatureStore(Path folder, String model) {
  private static final int PART = 4096;

  private interface Making { float[][] of() throws IOException; }

  /// `[pictures]`, null where one cannot be read. Those are counted, and said why the first cannot, unless they lie
  /// here already.
  public float[][] pictures(TestSet set, Embedder embedder, Failures failures, Advance advance) throws IOException {
    var r = new float[set.size()][];
    for (int from = 0; from < r.length; from += PART) {
      int first = from, n = Math.min(PART, r.length - from);
      var made = kept(new Fingerprint().add("pictures").add(model).add(set.fingerprint()).add(from + " " + n), n,
          advance,
          () -> embedder.readable(n, i -> set.pictures().at(first + i), failures, advance));
      System.arraycopy(made, 0, r, from, n);
    }
    return r;
  }

  /// `[texts][embedding]`
  public float[][] texts(List<String> texts, Embedder embedder, Advance advance) throws IOException {
    var r = new float[texts.size()][];
    for (int from = 0; from < r.length; from += PART) {
      var part = texts.subList(from, Math.min(r.length, from + PART));
      var key = new Fingerprint().add("texts").add(model);
      part.forEach(key::add);
      var made = kept(key, part.size(), advance, () -> embedder.texts(part, advance));
      System.arraycopy(made, 0, r, from, part.size());
    }
    return r;
  }

  private float[][] kept(Fingerprint key, int count, Advance advance, Making making) throws IOException {
    if (folder == null) return making.of();
    var name = key.toString();
    var file = folder.resolve(name.substring(0, 2)).resolve(name + ".safetensors");
    var found = read(file, count);
    if (found != null) {
      advance.by(count);
      return found;
    }
    var made = making.of();
    Files.createDirectories(file.getParent());
    write(file, made);
    return made;
  }

  private static float[][] read(Path file, int count) {
    if (!Files.exists(file)) return null;
    try (var s = Safetensors.open(file)) {
      float[] all = s.floats("features");
      long[] there = s.longs("there");
      int width = s.shape("features")[1];
      if (there.length != count) return null;
      var r = new float[count][];
      for (int i = 0; i < count; i++) if (there[i] == 1) r[i] = Arrays.copyOfRange(all, i * width, (i + 1) * width);
      return r;
    } catch (IOException | RuntimeException broken) {
      System.getLogger(FeatureStore.class.getName()).log(System.Logger.Level.DEBUG, "made anew: " + file, broken);
      return null;
    }
  }

  private static void write(Path file, float[][] rows) throws IOException {
    int width = Arrays.stream(rows).filter(x -> x != null).mapToInt(x -> x.length).findFirst().orElse(0);
    // nothing could be read: perhaps it can next time
    if (width == 0) return;
    var all = new float[rows.length * width];
    var there = new long[rows.length];
    for (int i = 0; i < rows.length; i++) if (rows[i] != null) {
      System.arraycopy(rows[i], 0, all, i * width, width);
      there[i] = 1;
    }
    Map<String, Safetensors.Array> arrays = new LinkedHashMap<>();
    arrays.put("features", new Safetensors.Array(new int[] {rows.length, width}, all));
    arrays.put("there", new Safetensors.Array(new int[] {rows.length}, there));
    Safetensors.write(file, arrays, Map.of());
  }
}
