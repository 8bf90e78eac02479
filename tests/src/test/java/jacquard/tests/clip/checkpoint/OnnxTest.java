package jacquard.tests.clip.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.CodedOutputStream;
import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.checkpoint.Stored;
import jacquard.clip.checkpoint.Weights;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Initialisers of ONNX files as weights: those with names are read, what cannot be is refused by name.
class OnnxTest {
  private static final Path HUB = Path.of("src/main/resources/fixtures/checkpoints/hub");
  private static final int F32 = 1, STRING = 8;
  @TempDir Path folder;

  private interface Message { void to(CodedOutputStream out) throws IOException; }

  private static byte[] message(Message m) throws IOException {
    var bytes = new ByteArrayOutputStream();
    var out = CodedOutputStream.newInstance(bytes);
    m.to(out);
    out.flush();
    return bytes.toByteArray();
  }

  /// @param field of the elements: 9 as they lie in a file, 4 floats, 7 whole numbers
  private static byte[] tensor(String name, int type, int[] dims, int field, byte[] elements) throws IOException {
    return message(t -> {
      for (int d : dims) t.writeInt64(1, d);
      t.writeInt32(2, type);
      t.writeString(8, name);
      t.writeByteArray(field, elements);
    });
  }

  private Path file(byte[]... tensors) throws IOException {
    byte[] graph = message(g -> {
      g.writeString(2, "main");
      for (byte[] t : tensors) g.writeByteArray(5, t);
    });
    return Files.write(folder.resolve("model.onnx"), message(m -> {
      m.writeInt64(1, 8);
      m.writeString(2, "test");
      m.writeByteArray(7, graph);
    }));
  }

  static byte[] of(Path safetensors) throws IOException {
    try (var w = Weights.open(safetensors)) {
      byte[] graph = message(g -> {
        for (var n : w.names())
          g.writeByteArray(5, tensor(n, w.entry(n).stored() == Stored.I64 ? 7 : F32, w.shape(n), 9,
              w.bytes(n).toArray(ValueLayout.JAVA_BYTE)));
        g.writeByteArray(5, tensor("onnx::MatMul_81", F32, new int[] {1}, 9, new byte[4]));
      });
      return message(m -> m.writeByteArray(7, graph));
    }
  }

  @Test void aModelIsReadWithTheSameWeights() throws IOException {
    Files.write(folder.resolve("model.onnx"), of(HUB.resolve("open_clip_model.safetensors")));
    Files.copy(HUB.resolve("open_clip_config.json"), folder.resolve("open_clip_config.json"));
    try (var _ = Scope.open(Device.named("cpu"))) {
      var files = ModelFiles.at(folder);
      var own = Parameters.of(Checkpoint.load(files.config().model(), files.weights())).all();
      var other = Parameters.of(Checkpoint.load(files.config().model(), HUB)).all();
      own.forEach((n, t) -> assertArrayEquals(other.get(n).floats(), t.floats(), n));
    }
  }

  @Test void elementsMayLieInFieldsOfTheirType() throws IOException {
    var floats = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putFloat(1.5f).putFloat(-2).array();
    byte[] longs = message(o -> { o.writeInt64NoTag(300); o.writeInt64NoTag(-1); });
    try (var w = Weights.open(file(tensor("a.weight", F32, new int[] {2}, 4, floats),
        tensor("n", 7, new int[] {2}, 7, longs)))) {
      assertArrayEquals(new float[] {1.5f, -2}, w.floats("a.weight"));
      assertArrayEquals(new long[] {300, -1}, w.longs("n"));
    }
  }

  private static void said(String part, Path file) {
    var e = assertThrows(IOException.class, () -> Weights.open(file));
    assertTrue(e.getMessage().startsWith(file.toString()) && e.getMessage().contains(part), e.getMessage());
  }

  @Test void whatCannotBeReadIsRefusedByName() throws IOException {
    said("label has elements of the type 8",
        file(tensor("label", STRING, new int[] {1}, 9, new byte[4])));
    said("w has 4 bytes, expected 12",
        file(tensor("w", F32, new int[] {3}, 9, new byte[4])));
    said("overflow",
        file(tensor("w", F32, new int[] {1 << 30, 1 << 30, 1 << 30}, 9, new byte[4])));
    said("none of its 1 initialiser",
        file(tensor("onnx::MatMul_3", F32, new int[] {1}, 9, new byte[4])));
    byte[] outside = message(t -> { t.writeString(8, "big"); t.writeInt32(2, F32); t.writeInt32(14, 1); });
    said("big has its elements in another file",
        file(outside));
    byte[] twice = tensor("w", F32, new int[] {1}, 9, new byte[4]);
    said("names w twice",
        file(twice, twice));
    said("cut off",
        Files.write(folder.resolve("cut.onnx"), new byte[] {0x3a, (byte) 0xff, (byte) 0xff, 0x7f}));
  }
}
