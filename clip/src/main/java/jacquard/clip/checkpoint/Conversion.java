package jacquard.clip.checkpoint;

import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.checkpoint.names.HuggingFace;
import jacquard.clip.checkpoint.names.Names;
import jacquard.clip.checkpoint.names.TransformersConfig;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.safetensors.SafetensorsWriter;
import jacquard.clip.checkpoint.torch.TorchWriter;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.clip.settings.Json;
import jacquard.clip.text.TokenizerFiles;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A model in another layout: one tensor in memory at a time, nothing computed.
///
/// @param half floats as F16, but the scale and bias, which stay as they are
/// @param shard bytes a file of weights has at most, if a tensor alone is not larger
public record Conversion(Layout layout, boolean half, long shard) {
  /// The layouts that are written.
  public enum Layout {
    /// `open_clip_config.json` and `open_clip_model.safetensors`.
    OPEN_CLIP,
    /// transformers' `config.json`, `preprocessor_config.json` and `model.safetensors`.
    HF,
    /// One file, a state dict as `torch.save` writes it.
    PT
  }

  /// @param to a folder that is made, or for [Layout#PT] a file
  /// @throws IOException naming the file that cannot be read or written
  /// @throws IllegalArgumentException if the layout has no place for such a model
  public void write(ModelFiles from, Path to) throws IOException {
    try (var weights = Names.openClip(Weights.open(from.weights()))) {
      var own = named(weights, from.config());
      switch (layout) {
        case PT -> TorchWriter.write(to, narrowed(own));
        case OPEN_CLIP -> {
          Files.createDirectories(to);
          save(narrowed(own), to, shard > 0 && size(own) > shard ? "model" : "open_clip_model");
          AtomicFile.write(to.resolve("open_clip_config.json"), from.config().toJson());
          tokenizer(from, to);
        }
        case HF -> {
          var theirs = HuggingFace.write(own);
          var config = TransformersConfig.write(from.config());
          Files.createDirectories(to);
          save(narrowed(theirs), to, "model");
          AtomicFile.write(to.resolve("config.json"), Json.text(config));
          AtomicFile.write(to.resolve("preprocessor_config.json"),
              Json.text(TransformersConfig.preprocessor(from.config())));
          tokenizer(from, to);
        }
      }
    }
  }

  /// The tensors of the model under their names in a checkpoint of OpenCLIP, in the shapes that it has: all must be
  /// there.
  private static Map<String, Piece> named(Weights weights, HubConfig config) throws IOException {
    var wrapped = weights.names().stream().allMatch(n -> n.startsWith("module.")) ? "module." : "";
    var r = new LinkedHashMap<String, Piece>();
    for (var e : Checkpoint.shapes(ClipModel.describe(config.model())).entrySet()) {
      var name = e.getKey();
      var found = weights.contains(wrapped + name) || !name.startsWith("text.") ? name : name.substring(5);
      if (name.equals("logit_bias") && !weights.contains(wrapped + found)) {
        r.put(name, new Piece(Stored.F32, e.getValue(), () -> MemorySegment.ofArray(new byte[4])));
        continue;
      }
      var piece = Piece.of(weights, wrapped + found);
      if (piece.shape().size() == 1 && e.getValue().size() == 1) piece = piece.reshape(e.getValue().dims());
      if (!piece.shape().equals(e.getValue()))
        throw new IOException(weights.file() + ": " + found + " is " + piece.shape() + ", the model expects "
            + e.getValue());
      r.put(name, piece);
    }
    return r;
  }

  private Map<String, Piece> narrowed(Map<String, Piece> tensors) {
    if (!half) return tensors;
    var r = new LinkedHashMap<String, Piece>();
    tensors.forEach((n, p) -> r.put(n, p.stored().floating() && !n.startsWith("logit_") ? p.half() : p));
    return r;
  }

  private static long size(Map<String, Piece> tensors) {
    return tensors.values().stream().mapToLong(Piece::byteCount).sum();
  }

  private void save(Map<String, Piece> tensors, Path folder, String name) throws IOException {
    var shards = new ArrayList<List<Map.Entry<String, Piece>>>();
    long room = 0;
    for (var e : tensors.entrySet()) {
      long bytes = e.getValue().byteCount();
      if (shards.isEmpty() || shard > 0 && bytes > room) {
        shards.add(new ArrayList<>());
        room = shard;
      }
      shards.getLast().add(e);
      room -= bytes;
    }
    if (shards.size() == 1) {
      safetensors(folder.resolve(name + ".safetensors"), shards.getFirst());
      return;
    }
    var map = new LinkedHashMap<String, Object>();
    for (int i = 0; i < shards.size(); i++) {
      var file = "%s-%05d-of-%05d.safetensors".formatted(name, i + 1, shards.size());
      safetensors(folder.resolve(file), shards.get(i));
      for (var e : shards.get(i)) map.put(e.getKey(), file);
    }
    AtomicFile.write(folder.resolve(name + ".safetensors.index.json"),
        Json.text(Map.of("metadata", Map.of("total_size", size(tensors)), "weight_map", map)));
  }

  private static void safetensors(Path file, List<Map.Entry<String, Piece>> tensors) throws IOException {
    Safetensors.write(file, Map.of("format", "pt"), tensors.stream()
        .map(e -> new SafetensorsWriter.Source(e.getKey(), e.getValue().stored(), e.getValue().shape(),
        e.getValue()::bytes)).sorted(SafetensorsWriter.REFERENCE_ORDER).toList());
  }

  private static void tokenizer(ModelFiles from, Path to) throws IOException {
    if (from.tokenizer() == null) return;
    for (var n : TokenizerFiles.NAMES)
      if (Files.exists(from.tokenizer().resolve(n)))
        Files.copy(from.tokenizer().resolve(n), to.resolve(n), StandardCopyOption.REPLACE_EXISTING);
  }
}
