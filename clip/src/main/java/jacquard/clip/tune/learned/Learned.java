package jacquard.clip.tune.learned;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.model.ClipModel;
import jacquard.clip.tune.adapter.Adapter;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// What is learned beside a model whose weights stay: a prompt, vectors of names, a small net, remembered pictures. A
/// folder holds it as `learned.safetensors`: the tensors, and as metadata its kind, its settings, the hash of the
/// model's weights, and how much of it is used.
///
/// A model may use a share of it: its features are then the mean of those without it and those with it, each
/// normalised. With a share of 0 the model is the one that was given.
public sealed interface Learned permits Prompted, Conditioned, NameVectors, Bottleneck, Remembered {
  String FILE = "learned.safetensors", BASE = "base_sha256", KIND = "kind", SETTINGS = "settings", SHARE = "share";

  String kind();

  /// What is trained: a record of tensors, whose paths are the file's names.
  Record tensors();

  /// What a file says of it beside the tensors.
  ObjectNode settings();

  /// The model with a share of it, from 0 to 1.
  ClipModel onto(ClipModel base, double share);

  /// Whether a folder holds something of this kind.
  static boolean in(Path folder) { return Files.exists(folder.resolve(FILE)); }

  /// @param hash of the weights of the model that it belongs to, see [Adapter#hash]
  default void write(Path folder, String hash, double share) throws IOException {
    Files.createDirectories(folder);
    var all = new LinkedHashMap<String, Safetensors.Array>();
    Parameters.of(tensors()).all().forEach((n, t) -> all.put(n, new Safetensors.Array(t.shape().dims(), t.floats())));
    Safetensors.write(folder.resolve(FILE), all, Map.of("format", "pt", KIND, kind(), SETTINGS, settings().toString(),
        BASE, hash, SHARE, Double.toString(share)));
  }

  /// What a folder holds, and the share of it that is used.
  record Found(Learned learned, double share) {}

  /// @throws IOException naming the file and what does not fit: another base, an unknown kind, a tensor
  static Found read(Path folder, ClipModel base) throws IOException {
    var path = folder.resolve(FILE);
    try (var file = Safetensors.open(path)) {
      var m = file.metadata();
      var hash = Adapter.hash(base);
      if (!hash.equals(m.get(BASE)))
        throw new IOException(path + " was learned beside another model: its weights have the hash "
            + start(m.getOrDefault(BASE, "unknown")) + "…, those given " + start(hash) + "…");
      var settings = new ObjectMapper().readTree(m.getOrDefault(SETTINGS, "{}"));
      double share = Double.parseDouble(m.getOrDefault(SHARE, "1"));
      if (!(share >= 0 && share <= 1)) throw new IOException(path + ": the share " + share + ", expected 0 to 1");
      return new Found(of(m.getOrDefault(KIND, ""), new Stored(file, settings), base), share);
    } catch (IllegalArgumentException e) {
      throw new IOException(path + ": " + e.getMessage(), e);
    }
  }

  private static Learned of(String kind, Stored s, ClipModel base) throws IOException {
    return switch (kind) {
      case Prompted.COOP, Prompted.MAPLE, Prompted.PROMPTSRC -> Prompted.read(kind, s);
      case Conditioned.KIND -> Conditioned.read(s);
      case NameVectors.KIND -> NameVectors.read(s);
      case Bottleneck.KIND -> Bottleneck.read(s);
      case Remembered.KIND -> Remembered.read(s);
      default -> throw new IllegalArgumentException("its kind is \"" + kind + "\", expected one of coop, "
          + "cocoop, maple, promptsrc, names, clip-adapter, tip-adapter");
    };
  }

  private static String start(String hash) { return hash.substring(0, Math.min(12, hash.length())); }

  /// The mean of two features, each normalised; all of one where it has the whole share.
  static Tensor mixed(Tensor without, Tensor with, double share) {
    if (share == 1) return with;
    return without.normalize().mul((float) (1 - share)).add(with.normalize().mul((float) share));
  }

  /// A file's tensors and settings.
  record Stored(Safetensors file, JsonNode settings) {
    Tensor tensor(String name) throws IOException {
      return Tensor.of(Shape.of(file.shape(name)), file.floats(name));
    }

    int[] ids(String key) { return ids(settings.path(key)); }

    PromptWords words() { return new PromptWords(ids("before"), ids("behind")); }

    static int[] ids(JsonNode array) {
      int[] r = new int[array.size()];
      for (int i = 0; i < r.length; i++) r[i] = array.get(i).asInt();
      return r;
    }
  }
}
