package jacquard.clip.checkpoint;

import jacquard.clip.checkpoint.numpy.Npz;
import jacquard.clip.checkpoint.onnx.Onnx;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.checkpoint.safetensors.ShardedSafetensors;
import jacquard.clip.checkpoint.torch.Torch;
import jacquard.clip.settings.FirstBytes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// The files that weights are read from, by their first bytes and their names: a row a format.
enum Format {
  SHARDS {
    @Override boolean is(String first, String name) { return name.endsWith(".json"); }
    @Override Weights open(Path file) throws IOException { return ShardedSafetensors.open(file); }
  },
  NPZ {
    @Override boolean is(String first, String name) { return first.startsWith("PK\3\4") && name.endsWith(".npz"); }
    @Override Weights open(Path file) throws IOException { return Npz.open(file); }
  },
  ONNX {
    @Override boolean is(String first, String name) { return name.endsWith(".onnx"); }
    @Override Weights open(Path file) throws IOException { return Onnx.open(file); }
  },
  TORCH {
    @Override boolean is(String first, String name) {
      return first.startsWith("PK\3\4") || first.matches("(?s)\\x80[\\x02-\\x05].*");
    }
    @Override Weights open(Path file) throws IOException { return Torch.open(file); }
  },
  SAFETENSORS {
    @Override boolean is(String first, String name) {
      return name.endsWith(".safetensors") || first.length() > 8 && first.charAt(8) == '{';
    }
    @Override Weights open(Path file) throws IOException { return Safetensors.open(file); }
  };

  /// @param first the first bytes, a character each
  abstract boolean is(String first, String name);

  abstract Weights open(Path file) throws IOException;

  static Format of(Path file) throws IOException {
    String first;
    try (var in = Files.newInputStream(file)) { first = new String(in.readNBytes(9), StandardCharsets.ISO_8859_1); }
    for (var f : values()) if (f.is(first, file.getFileName().toString())) return f;
    throw new IOException(file + FirstBytes.of(file).map(w ->
        ": " + w).orElse(" holds no weights of a format "
        + "that is known: safetensors, PyTorch's or NumPy's archives, ONNX"));
  }
}
