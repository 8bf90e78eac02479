package jacquard.clip.checkpoint;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.names.FlexibleVit;
import jacquard.clip.checkpoint.names.Names;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.safetensors.SafetensorsWriter;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.OnDisk;
import jacquard.clip.model.tower.Positions;
import jacquard.clip.nn.PositionTable;
import jacquard.tensor.DType;
import jacquard.tensor.Grid;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// Models to and from files with OpenCLIP's tensor names; a tower says how its tensors lie on disk ([OnDisk]).
public final class Checkpoint {
  private static final System.Logger LOG = System.getLogger(Checkpoint.class.getName());

  /// Before every name where a model that was wrapped for several GPUs was saved as it was.
  private static final String WRAPPED = "module.";
  /// Buffers that older models saved and that say nothing: OpenCLIP passes over them too.
  private static final Set<String> IGNORED = Set.of("input_resolution", "context_length", "vocab_size", "attn_mask",
      "text.transformer.embeddings.position_ids");

  private Checkpoint() {}

  /// The model of `config` with the weights of `path`, which stay in the file until they are first used; its tensors
  /// belong to the current scope. Every tensor must be there, and no other, but for what OpenCLIP adapts: `module.`
  /// before all names is taken off, some old buffers are passed over, positions of another image size or context length
  /// are resized ([PositionTable]; OpenCLIP refuses a ResNet's), a plain CLIP's text tower may go under `text.`, the
  /// scale's shape may be `[]` or `[1]`, and a missing logit bias begins at 0.
  ///
  /// @throws IOException naming the file, the tensor, its shape and the one expected
  public static ClipModel load(ClipConfig config, Path path) throws IOException {
    return load(config, Weights.open(path));
  }

  /// The same of weights that are open, which are closed.
  public static ClipModel load(ClipConfig config, Weights open) throws IOException {
    var path = open.file();
    var described = ClipModel.describe(config);
    try (var weights = adapted(Names.openClip(open), described)) {
      String wrapped = weights.names().stream().allMatch(n -> n.startsWith(WRAPPED)) ? WRAPPED : "";
      var left = weights.names().stream().map(n -> n.substring(wrapped.length())).filter(n -> !IGNORED.contains(n))
          .collect(Collectors.toCollection(HashSet::new));
      described.towers().forEach((prefix, t) ->
          t.obsolete().forEach(p -> left.remove(described.nameOf(prefix + "." + p))));
      var places = new LinkedHashMap<String, Place>();
      Parameters.of(described).all().forEach((p, t) -> {
        var name = described.nameOf(p);
        if (p.startsWith("text.") && !left.contains(name) && left.contains(p.substring(5))) name = p.substring(5);
        if (p.equals("logit_bias") && !left.contains(name)) return;
        left.remove(name);
        described.namesOf(p).forEach(left::remove);
        places.put(p, new Place(p, name, wrapped + name, t));
      });
      Differences.of(described, weights, List.copyOf(places.values()), left.stream().sorted().toList()).check(path);
      return Parameters.map(described, (p, t) -> {
        if (!places.containsKey(p)) return Tensor.zeros(t.shape());
        try { return read(weights, places.get(p).stored, p, t, described, path); } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      });
    } catch (UncheckedIOException e) { throw e.getCause(); }
  }

  /// A tensor of a model and of a file: its path there, its name, and its name in the file.
  record Place(String path, String name, String stored, Tensor tensor) {
    Shape shape(ClipModel model) { return model.layout(path).shape(tensor.shape()); }
  }

  /// Whether a tensor of the shape `stored` can be read at a place.
  static boolean fits(ClipModel model, Place p, int[] stored) {
    int[] shape = p.shape(model).dims();
    if (Arrays.equals(stored, shape)) return true;
    if (p.path.startsWith("logit_") && p.tensor.shape().size() == 1 && Arrays.stream(stored).allMatch(d -> d == 1))
      return true;
    return resizable(model, p.path) != null && differsInRows(stored, shape);
  }

  /// Overwrites the image tower of a model with that of a file: one of OpenCLIP's, whose image tower alone is read, or
  /// a
  /// bare one of timm's, whose tensors have the trunk's names without a prefix (`patch_embed.proj.weight`). A
  /// classifier
  /// that timm trained is passed over where the model has none of its shape.
  ///
  /// @return what of the model is not in the file, as its projection, and stays as it was
  /// @throws IOException with the first five differences, if they do not fit
  public static List<String> image(ClipModel model, Path file) throws IOException {
    try (var weights = Names.openClip(Weights.open(file))) {
      var left = new HashSet<>(weights.names());
      left.removeIf(n -> IGNORED.contains(n) || n.startsWith("text.") || n.startsWith("transformer.")
          || n.startsWith("logit_"));
      boolean whole = weights.names().stream().anyMatch(n -> n.startsWith("visual."));
      if (whole) left.removeIf(n -> !n.startsWith("visual."));
      var trunk = "visual.trunk.";
      if (!whole && model.parameters().all().keySet().stream().noneMatch(p -> p.startsWith(trunk)))
        throw new IOException(file + " holds no tensors of an image tower under visual., and the model's tower is none "
            + "of timm's, whose trunk could be read by its own names");
      var differences = new Differences();
      var stay = new ArrayList<String>();
      var read = new LinkedHashMap<Place, float[]>();
      for (var e : Parameters.of(model).all().entrySet()) {
        var path = e.getKey();
        if (!path.startsWith("visual.")) continue;
        var stored = whole ? path : path.startsWith(trunk) ? path.substring(trunk.length()) : path;
        var place = new Place(path, path, stored, e.getValue());
        boolean head = path.startsWith("visual.head.") || path.startsWith("visual.trunk.head.");
        if (!weights.contains(stored) || !whole && head && !fits(model, place, weights.shape(stored))) {
          if (head && !whole) stay.add(path); else differences.missing(stored);
          continue;
        }
        left.remove(stored);
        if (!fits(model, place, weights.shape(stored)))
          differences.shape(stored, weights.shape(stored), place.shape(model));
        else if (e.getValue().dtype() != DType.I64)
          read.put(place, read(weights, stored, path, e.getValue(), model, file).floats());
      }
      left.removeIf(n -> !whole && n.matches("(head|fc|classifier)\\..*"));
      left.stream().sorted().forEach(differences::surplus);
      differences.check(file);
      read.forEach((place, values) -> put(place.tensor, values));
      return stay;
    }
  }

  /// Those of a ViT of OpenCLIP's own, where the model has a NaFlex tower in its place.
  private static Weights adapted(Weights w, ClipModel model) throws IOException {
    if (model.visual().frame().isEmpty() || !FlexibleVit.needed(w)) return w;
    try { return FlexibleVit.read(w); } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      w.close();
      throw new IOException(w.file() + ": " + e.getMessage(), e);
    }
  }

  /// Writes the weights of a file, their names behind a prefix, into a model's own tensors.
  public static void restore(ClipModel model, Weights weights, String prefix) throws IOException {
    for (var e : Parameters.of(model).all().entrySet()) {
      var t = e.getValue();
      if (t.dtype() == DType.I64) {
        put(t, weights.longs(prefix + model.nameOf(e.getKey())));
        continue;
      }
      float[] v = weights.floats(prefix + model.nameOf(e.getKey()));
      put(t, model.layout(e.getKey()).read(v, t.shape()));
    }
  }

  /// Overwrites a tensor's elements.
  public static void put(Tensor t, float[] values) {
    if (values.length != t.shape().size())
      throw new IllegalArgumentException(values.length + " values for " + t.type());
    t.device().write(values, t.dtype(), t.storage().block(), values.length);
    t.storage().changed();
  }

  /// The same of whole numbers.
  public static void put(Tensor t, long[] values) {
    if (values.length != t.shape().size())
      throw new IllegalArgumentException(values.length + " values for " + t.type());
    t.device().write(values, t.dtype(), t.storage().block(), values.length);
    t.storage().changed();
  }

  private static Tensor read(Weights weights, String name, String at, Tensor t, ClipModel model, Path path)
      throws IOException {
    var layout = model.layout(at);
    int[] shape = layout.shape(t.shape()).dims(), stored = weights.shape(name);
    if (at.startsWith("logit_") && t.shape().size() == 1 && Arrays.stream(stored).allMatch(d -> d == 1)) shape = stored;
    var positions = resizable(model, at);
    if (positions != null && differsInRows(stored, shape))
      return Tensor.of(t.shape(), resized(weights.floats(name), name, positions, stored, shape, path));
    if (!Arrays.equals(stored, shape))
      throw new IOException(path + ": " + name + " is " + Arrays.toString(stored) + ", the model expects "
          + Arrays.toString(shape) + "; is it a checkpoint of another model?");
    if (t.dtype() == DType.I64) return Tensor.ofArray(t.type(), weights.longs(name));
    var source = layout == OnDisk.SAME ? weights.source(name) : null;
    if (source != null) return Tensor.of(t.type(), source);
    return Tensor.of(t.shape(), layout.read(weights.floats(name), t.shape()));
  }

  /// What the tower at a path says about resizing the table there, or null.
  private static Positions resizable(ClipModel model, String at) {
    for (var t : model.towers().entrySet())
      for (var p : t.getValue().positions()) if (at.equals(t.getKey() + "." + p.path())) return p;
    return null;
  }

  /// Whether two tables `[…, rows, width]` differ in their rows alone.
  private static boolean differsInRows(int[] stored, int[] shape) {
    int rows = shape.length - 2;
    if (stored.length != shape.length || rows < 0 || stored[rows] == shape[rows] || stored[rows] < 2) return false;
    for (int i = 0; i < shape.length; i++) if (i != rows && stored[i] != shape[i]) return false;
    return true;
  }

  private static float[] resized(float[] table, String name, Positions positions, int[] stored, int[] shape, Path path)
      throws IOException {
    int from = stored[stored.length - 2], to = shape[shape.length - 2], width = shape[shape.length - 1];
    float[] r = switch (positions) {
      case Positions.Places _ -> PositionTable.ofText(table, width, to);
      case Positions.Cells(_, int prefix, Grid grid) -> {
        int side = (int) Math.sqrt(from - prefix);
        if (side * side != from - prefix)
          throw new IOException(path + ": " + name + " holds " + from + " positions, the model " + to
              + "; only those of a square grid can be resized, "
              + (prefix == 0 ? "" : prefix + " + ") + "n²");
        yield PositionTable.ofGrid(table, prefix, width, new Grid(side, side), grid);
      }
    };
    LOG.log(System.Logger.Level.INFO, "{0}: {1} resized from {2} to {3} positions", path, name, from, to);
    return r;
  }

  /// The name and shape on disk of every tensor of a model.
  public static Map<String, Shape> shapes(ClipModel model) {
    var r = new LinkedHashMap<String, Shape>();
    Parameters.of(model).all().forEach((p, t) ->
        model.namesOf(p).forEach(n -> r.put(n, model.layout(p).shape(t.shape()))));
    return r;
  }

  /// Elements as checkpoints hold them, by OpenCLIP's names, read when they are written.
  public static Map<String, Safetensors.Array> arrays(ClipModel model, Map<String, Tensor> byPath) {
    var r = new LinkedHashMap<String, Safetensors.Array>();
    byPath.forEach((p, t) -> {
      if (t.dtype() != DType.I64) r.putAll(arrays(model, p, t.shape(), t::floats));
      else for (var name : model.namesOf(p)) r.put(name, new Safetensors.Array(t.shape().dims(), Stored.I64, t::read));
    });
    return r;
  }

  /// The same of one parameter.
  ///
  /// @param whole gives all its elements, as they lie in memory
  public static Map<String, Safetensors.Array> arrays(ClipModel model, String path, Shape shape,
      SafetensorsWriter.Content<float[]> whole) {
    var layout = model.layout(path);
    var array = Safetensors.Array.floats(layout.shape(shape), () -> layout.write(whole.get(), shape));
    var r = new LinkedHashMap<String, Safetensors.Array>();
    for (var name : model.namesOf(path)) r.put(name, array);
    return r;
  }

  public static void save(ClipModel model, Path file) throws IOException {
    Safetensors.write(file, arrays(model, Parameters.of(model).all()), Map.of("format", "pt"));
  }

  /// The elements of the parameter at a path, or of its gradient, in the order of the file.
  public static float[] toDisk(ClipModel model, String path, Tensor t) {
    return model.layout(path).write(t.floats(), t.shape());
  }
}
