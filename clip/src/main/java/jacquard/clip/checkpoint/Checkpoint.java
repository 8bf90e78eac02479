package jacquard.clip.checkpoint;

import jacquard.autograd.Parameters;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.tensor.DType;
import jacquard.tensor.Grid;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// Models to and from files with OpenCLIP's tensor names. Convolutions are `[out, in, kh, kw]` on disk, `[out, kh, kw, in]` in memory.
public final class Checkpoint {
  private static final System.Logger LOG = System.getLogger(Checkpoint.class.getName());

  /// Before every name where a model that was wrapped for several GPUs was saved as it was.
  private static final String WRAPPED = "module.";
  /// Buffers that older models saved and that say nothing: OpenCLIP passes over them too.
  private static final Set<String> IGNORED = Set.of("input_resolution", "context_length", "vocab_size", "text.transformer.embeddings.position_ids");

  private Checkpoint() {}

  /// The model of `config` with the weights of `path`, which stay in the file until they are first used; its tensors belong to the current scope. Every tensor must be there, and no other, but for what OpenCLIP
  /// adapts: `module.` before all names is taken off, some old buffers are passed over, positions of another image size or context length are resized ([PositionTable]; OpenCLIP refuses a ResNet's), a plain CLIP's text tower may go
  /// under `text.`, the scale's shape may be `[]` or `[1]`, and a missing logit bias begins at 0.
  ///
  /// @throws IOException naming the file, the tensor, its shape and the one expected
  public static ClipModel load(ClipConfig config, Path path) throws IOException {
    try (var weights = Weights.open(path)) {
      String wrapped = weights.names().stream().allMatch(n -> n.startsWith(WRAPPED)) ? WRAPPED : "";
      var left = weights.names().stream().map(n -> n.substring(wrapped.length())).filter(n -> !IGNORED.contains(n)).collect(Collectors.toCollection(HashSet::new));
      var described = ClipModel.describe(config);
      var model = Parameters.map(described, (p, t) -> {
        var name = described.nameOf(p);
        if (p.startsWith("text.") && !left.contains(name) && left.contains(p.substring(5))) name = p.substring(5);
        if (p.equals("logit_bias") && !left.contains(name)) return Tensor.zeros(t.shape());
        left.remove(name);
        try { return read(weights, wrapped + name, p, t, described, path); } catch (IOException e) { throw new UncheckedIOException(e); }
      });
      if (!left.isEmpty()) throw new IOException(path + " holds tensors that this model has not: " + left.stream().sorted().limit(8).toList() + (left.size() > 8 ? " and " + (left.size() - 8) + " more" : "") + "; is it a checkpoint of another model?");
      return model;
    } catch (UncheckedIOException e) { throw e.getCause(); }
  }

  /// Writes the weights of a file, their names behind a prefix, into a model's own tensors.
  public static void restore(ClipModel model, Weights weights, String prefix) throws IOException {
    for (var e : Parameters.of(model).all().entrySet()) {
      var t = e.getValue();
      if (t.dtype() == DType.I64) continue;
      float[] v = weights.floats(prefix + model.nameOf(e.getKey()));
      put(t, t.shape().rank() == 4 ? fromDisk(v, t.shape()) : v);
    }
  }

  /// Overwrites a tensor's elements.
  public static void put(Tensor t, float[] values) {
    if (values.length != t.shape().size()) throw new IllegalArgumentException(values.length + " values for " + t.type());
    t.device().write(values, t.dtype(), t.storage().block(), values.length);
    t.storage().changed();
  }

  private static Tensor read(Weights weights, String name, String at, Tensor t, ClipModel model, Path path) throws IOException {
    int[] shape = onDisk(t.shape()).dims(), stored = weights.shape(name);
    if (at.startsWith("logit_") && t.shape().size() == 1 && Arrays.stream(stored).allMatch(d -> d == 1)) shape = stored;
    if (at.endsWith("positional_embedding") && stored.length == 2 && stored[1] == shape[1] && stored[0] != shape[0] && stored[0] > 1)
      return Tensor.of(t.shape(), resized(weights.floats(name), name, at, stored, shape[0], model.config(), path));
    if (!Arrays.equals(stored, shape))
      throw new IOException(path + ": " + name + " is " + Arrays.toString(stored) + ", the model expects " + Arrays.toString(shape) + "; is it a checkpoint of another model?");
    if (t.dtype() == DType.I64) return Tensor.ofArray(t.type(), weights.longs(name));
    var source = shape.length == 4 ? null : weights.source(name);
    if (source != null) return Tensor.of(t.type(), source);
    float[] v = weights.floats(name);
    return Tensor.of(t.shape(), shape.length == 4 ? fromDisk(v, t.shape()) : v);
  }

  private static float[] resized(float[] table, String name, String at, int[] stored, int rows, ClipConfig config, Path path) throws IOException {
    float[] r;
    if (at.startsWith("text.")) {
      if (config.text().classToken()) throw new IOException(path + ": " + name + " holds " + stored[0] + " positions, the model " + rows + "; with a class token they cannot be resized");
      r = PositionTable.ofText(table, stored[1], rows);
    } else {
      int side = (int) Math.sqrt(stored[0] - 1);
      if (side * side != stored[0] - 1)
        throw new IOException(path + ": " + name + " holds " + stored[0] + " positions, the model " + rows + "; only those of a square grid can be resized, 1 + n²");
      r = PositionTable.ofGrid(table, 1, stored[1], new Grid(side, side), config.vision().resnet() ? config.vision().image().windows(32, 32, 32, 0) : config.vision().grid());
    }
    LOG.log(System.Logger.Level.INFO, "{0}: {1} resized from {2} to {3} positions", path, name, stored[0], rows);
    return r;
  }

  /// The name and shape on disk of every tensor of a model.
  public static Map<String, Shape> shapes(ClipModel model) {
    var r = new LinkedHashMap<String, Shape>();
    Parameters.of(model).all().forEach((p, t) -> r.put(model.nameOf(p), onDisk(t.shape())));
    return r;
  }

  /// Elements as checkpoints hold them, by OpenCLIP's names.
  public static Map<String, Safetensors.Array> arrays(ClipModel model, Map<String, Tensor> byPath) {
    var r = new LinkedHashMap<String, Safetensors.Array>();
    byPath.forEach((p, t) -> r.put(model.nameOf(p), t.dtype() == DType.I64 ? new Safetensors.Array(t.shape().dims(), t.read())
        : new Safetensors.Array(onDisk(t.shape()).dims(), toDisk(t))));
    return r;
  }

  public static void save(ClipModel model, Path file) throws IOException {
    Safetensors.write(file, arrays(model, Parameters.of(model).all()), Map.of("format", "pt"));
  }

  /// A parameter's elements in the order of the file.
  public static float[] toDisk(Tensor t) {
    float[] v = t.floats();
    var s = t.shape();
    return s.rank() == 4 ? turned(v, s.dim(0), s.dim(1) * s.dim(2), s.dim(3)) : v;
  }

  /// Channels, which files put before the pixels of a window, after them.
  private static float[] fromDisk(float[] v, Shape s) { return turned(v, s.dim(0), s.dim(3), s.dim(1) * s.dim(2)); }

  private static Shape onDisk(Shape s) { return s.rank() == 4 ? Shape.of(s.dim(0), s.dim(3), s.dim(1), s.dim(2)) : s; }

  /// n matrices [rows, columns], each turned. (Its loop is short: a checkpoint is read before anything is compiled.)
  private static float[] turned(float[] v, int n, int rows, int columns) {
    float[] r = new float[v.length];
    for (int i = 0, from = 0; i < n; i++)
      for (int j = 0; j < rows; j++)
        for (int end = from + columns, to = i * rows * columns + j; from < end; from++, to += rows) r[to] = v[from];
    return r;
  }
}
