package jacquard.clip.tune.adapter;

import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.model.ClipModel;
import jacquard.clip.nn.Drop;
import jacquard.clip.nn.Init;
import jacquard.clip.nn.Linear;
import jacquard.clip.nn.LowRank;
import jacquard.tensor.DType;
import jacquard.tensor.Random;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/// Low-rank pairs beside the linear layers of a model (see [LowRank]), by the layers' paths, and biases that were
/// trained with them.
///
/// @param biases whole biases by the layer's path
public record Adapter(PeftConfig config, SequencedMap<String, List<LowRank.Pair>> pairs, Map<String, Tensor> biases) {
  private static final String TENSORS = "adapter_model.safetensors", CONFIG = "adapter_config.json",
      PREFIX = "base_model.model.", BASE = "base_sha256";

  /// New pairs, which change nothing yet: A ~ U(±1/√in), B = 0, magnitudes the norms of W's rows.
  ///
  /// @throws IllegalArgumentException if no module of the model is a target
  public static Adapter fresh(ClipModel model, PeftConfig config, long seed) {
    var make = Init.Maker.drawn(Random.of(seed).fold("adapter"));
    var r = new Adapter(config, new LinkedHashMap<>(), new HashMap<>());
    names(model).forEach((module, p) -> {
      if (!config.targets(module)) return;
      int rank = config.rank(module);
      Tensor down = make.make(Init.fanIn(p.in()), rank, p.in()), up = make.make(Init.ZEROS, p.out(), rank);
      var rows = p.layer().weight().slice(0, p.from(), p.to());
      r.add(p.path(), new LowRank.Pair(down, up, config.dora() ? rows.mul(rows).sum(1).sqrt() : null,
          config.scale(module), p.from(), p.to()));
      if (config.bias().equals("lora_only") && p.layer().bias() != null)
        r.biases.computeIfAbsent(p.path(), _ -> p.layer().bias().copy());
    });
    if (r.pairs.isEmpty())
      throw new IllegalArgumentException("no linear layer of this model is named by " + config.targets()
          + "; it has " + names(model).keySet().stream().limit(6).toList() + " …");
    return r;
  }

  /// The layers' names: transformers' where they have such, OpenCLIP's else.
  private static SequencedMap<String, Modules.Place> names(ClipModel model) {
    var r = Modules.huggingFace(model);
    var known = r.values().stream().map(Modules.Place::path).collect(Collectors.toSet());
    Modules.openClip(model).forEach((name, p) -> { if (!known.contains(p.path())) r.put(name, p); });
    return r;
  }

  private void add(String path, LowRank.Pair pair) {
    var list = new ArrayList<>(pairs.getOrDefault(path, List.of()));
    list.add(pair);
    list.sort(Comparator.comparingInt(LowRank.Pair::from));
    pairs.put(path, List.copyOf(list));
  }

  /// The model with the pairs beside its layers.
  public ClipModel onto(ClipModel model) { return onto(model, 0); }

  /// The same, where a share of each pair's input is left out while it is trained.
  public ClipModel onto(ClipModel model, double dropout) {
    return Parameters.replace(model, (path, r) -> {
      if (!(r instanceof Linear l) || !pairs.containsKey(path)) return r;
      var bias = biases.get(path);
      return new LowRank(bias == null ? l : switch (l) {
        case Linear.Packed p -> new Linear.Packed(p.weight(), bias);
        default -> new Linear.Dense(l.weight(), bias);
      }, pairs.get(path), dropout == 0 ? Drop.NONE : new Drop(dropout, "adapter " + path));
    });
  }

  /// What of a model with pairs is trained: they, and their layers' biases where the config says so.
  public Parameters trained(ClipModel onto) {
    var all = Parameters.of(onto);
    return all.freeze(all.all().keySet().stream().filter(p -> !ours(p)).toArray(String[]::new));
  }

  private boolean ours(String path) {
    if (path.contains(".lora.")) return true;
    return biases.keySet().stream().anyMatch(l -> path.equals(l + ".bias") || path.equals(l + ".in_proj_bias"));
  }

  /// The model with the pairs in its weights.
  public static ClipModel merged(ClipModel model) {
    return Parameters.replace(model, (_, r) -> r instanceof LowRank l ? (Record) l.merged() : r);
  }

  /// The pairs and biases as a model has them beside its layers.
  public Adapter of(ClipModel onto) {
    var r = new Adapter(config, new LinkedHashMap<>(), new HashMap<>());
    Parameters.replace(onto, (path, record) -> {
      if (!(record instanceof LowRank l)) return record;
      r.pairs.put(path, l.pairs());
      if (biases.containsKey(path)) r.biases.put(path, l.bias());
      return record;
    });
    return r;
  }

  /// PEFT's files. Names are those of transformers' CLIP where all layers have such, else OpenCLIP's; where neither
  /// have all, as where a ResNet stands beside a transformer, each layer's first that there is, which this reads alone.
  ///
  /// @param base   the model as it was, for its names, and what it is called
  /// @param hash   of its weights
  public void write(Path folder, ClipModel base, String called, String hash) throws IOException {
    Files.createDirectories(folder);
    var names = byPlace(Modules.huggingFace(base));
    if (!covered(names)) {
      var theirs = names;
      names = byPlace(Modules.openClip(base));
      if (!covered(names)) names.putAll(theirs);
    }
    var tensors = new LinkedHashMap<String, Safetensors.Array>();
    boolean fused = false;
    for (var e : pairs.entrySet())
      for (var p : e.getValue()) {
        var module = names.get(place(e.getKey(), p));
        if (module == null)
          throw new IllegalArgumentException(e.getKey() + " has a pair for some of its outputs, which has no name");
        fused |= module.endsWith(".attn");
        put(tensors, PREFIX + module + ".lora_A.weight", p.down());
        put(tensors, PREFIX + module + ".lora_B.weight", p.up());
        if (p.magnitude() != null) put(tensors, PREFIX + module + ".lora_magnitude_vector", p.magnitude());
        if (biases.containsKey(e.getKey()))
          put(tensors, PREFIX + module + ".base_layer.bias", biases.get(e.getKey()).slice(0, p.from(), p.to()));
      }
    AtomicFile.write(folder.resolve(CONFIG), config.json(called, fused));
    Safetensors.write(folder.resolve(TENSORS), tensors, Map.of("format", "pt", BASE, hash));
  }

  private boolean covered(Map<String, String> names) {
    return pairs.entrySet().stream().allMatch(e -> e.getValue().stream().allMatch(p ->
        names.containsKey(place(e.getKey(), p))));
  }

  private static void put(Map<String, Safetensors.Array> tensors, String name, Tensor t) {
    tensors.put(name, new Safetensors.Array(t.shape().dims(), t.floats()));
  }

  private static Map<String, String> byPlace(Map<String, Modules.Place> names) {
    var r = new HashMap<String, String>();
    names.forEach((name, p) -> r.put(p.path() + ":" + p.from() + ":" + p.to(), name));
    return r;
  }

  private static String place(String path, LowRank.Pair p) { return path + ":" + p.from() + ":" + p.to(); }

  /// PEFT's files, by the names of transformers' CLIP or OpenCLIP's.
  ///
  /// @throws IOException naming the file and what does not fit: an unknown key or tensor, a shape, another base
  public static Adapter read(Path folder, ClipModel base) throws IOException {
    if (!Files.isDirectory(folder)) throw new IOException(folder + " is no folder of an adapter (" + CONFIG + ", "
        + TENSORS + ")");
    var config = PeftConfig.read(folder.resolve(CONFIG));
    var r = new Adapter(config, new LinkedHashMap<>(), new HashMap<>());
    var places = Modules.openClip(base);
    places.putAll(Modules.huggingFace(base));
    try (var file = Safetensors.open(folder.resolve(TENSORS))) {
      var of = file.metadata().get(BASE);
      if (of != null && !of.equals(hash(base)))
        throw new IOException(file.file() + " was trained on another base: its weights have the hash "
            + of.substring(0, 12)
            + "…, those given " + hash(base).substring(0, 12) + "…");
      for (var name : file.names()) {
        if (!name.endsWith(".lora_A.weight")) continue;
        var stem = name.substring(0, name.length() - ".lora_A.weight".length());
        var module = module(file, stem, places);
        r.add(places.get(module).path(), r.pair(file, stem, module, places.get(module)));
      }
      for (var name : file.names()) r.known(file, name, places);
      if (r.pairs.isEmpty()) throw new IOException(file.file() + " holds no pair (….lora_A.weight)");
    }
    return r;
  }

  /// The module that a tensor belongs to. PEFT puts `base_layer` between where it wraps a layer twice.
  private static String module(Safetensors file, String stem, Map<String, Modules.Place> places) throws IOException {
    var module = (stem.startsWith(PREFIX) ? stem.substring(PREFIX.length()) : stem).replace(".base_layer", "");
    if (!places.containsKey(module))
      throw new IOException(file.file() + ": " + stem + " is no linear layer of this model");
    return module;
  }

  private LowRank.Pair pair(Safetensors file, String stem, String module, Modules.Place p) throws IOException {
    int rank = config.rank(module);
    var m = stem + ".lora_magnitude_vector";
    if (config.dora() != file.contains(m))
      throw new IOException(file.file() + ": " + stem + (config.dora() ? " has no magnitude, and use_dora is set"
          : " has a magnitude, and use_dora is not set"));
    return new LowRank.Pair(tensor(file, stem + ".lora_A.weight", rank, p.in()),
        tensor(file, stem + ".lora_B.weight", p.out(), rank), config.dora() ? tensor(file, m, p.out()) : null,
        config.scale(module), p.from(), p.to());
  }

  private static Tensor tensor(Safetensors file, String name, int... dims) throws IOException {
    if (!Shape.of(file.shape(name)).equals(Shape.of(dims)))
      throw new IOException(file.file() + ": " + name + " is " + Shape.of(file.shape(name)) + ", expected "
          + Shape.of(dims));
    return Tensor.of(Shape.of(dims), file.floats(name));
  }

  /// Takes in a trained bias; refuses a tensor that is none of an adapter's.
  private void known(Safetensors file, String name, Map<String, Modules.Place> places) throws IOException {
    for (var end : List.of(".lora_A.weight", ".lora_B.weight", ".lora_magnitude_vector"))
      if (name.endsWith(end) && file.contains(name.substring(0, name.length() - end.length())
          + ".lora_A.weight")) return;
    if (!name.endsWith(".base_layer.bias") || config.bias().equals("none"))
      throw new IOException(file.file() + ": " + name
          + " is not known here, expected ….lora_A.weight, ….lora_B.weight, "
          + "….lora_magnitude_vector, or ….base_layer.bias where the config's bias is lora_only");
    var p = places.get(module(file, name.substring(0, name.length() - ".base_layer.bias".length()), places));
    float[] some = tensor(file, name, p.out()).floats();
    float[] whole = biases.containsKey(p.path()) ? biases.get(p.path()).floats() : p.layer().bias().floats();
    whole = whole.clone();
    System.arraycopy(some, 0, whole, p.from(), some.length);
    biases.put(p.path(), Tensor.of(Shape.of(whole.length), whole));
  }

  /// SHA-256 over a model's tensors, names and elements, in the order of their paths.
  public static String hash(ClipModel model) {
    try {
      var digest = MessageDigest.getInstance("SHA-256");
      Parameters.of(model).all().forEach((path, t) -> {
        if (t.dtype() == DType.I64) return;
        digest.update(path.getBytes(StandardCharsets.UTF_8));
        float[] v = t.floats();
        var bytes = ByteBuffer.allocate(4 * Math.min(v.length, 1 << 18)).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < v.length; at += 1 << 18) {
          int n = Math.min(v.length - at, 1 << 18);
          bytes.clear();
          bytes.asFloatBuffer().put(v, at, n);
          digest.update(bytes.limit(4 * n));
        }
      });
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) { throw new IllegalStateException(e); }
  }
}
