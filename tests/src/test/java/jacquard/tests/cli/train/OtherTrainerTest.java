package jacquard.tests.cli.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.checkpoint.Weights;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A checkpoint of another trainer: its weights are read, and what is left out is known.
class OtherTrainerTest {
  /// `{"epoch": 3, "state_dict": {"w": tensor of 1.5}, "optimizer": {}, "scaler": {}}` as `torch.save` writes it.
  private static Path checkpoint(Path file) throws IOException {
    var p = new ByteArrayOutputStream();
    var out = new DataOutputStream(p);
    out.write(new byte[] {(byte) 0x80, 2, '}', '('});
    text(out, "epoch");
    out.write(new byte[] {'K', 3});
    text(out, "state_dict");
    out.write(new byte[] {'}', '('});
    text(out, "w");
    out.writeBytes("ctorch._utils\n_rebuild_tensor_v2\n((");
    text(out, "storage");
    out.writeBytes("ctorch\nFloatStorage\n");
    text(out, "0");
    text(out, "cpu");
    out.write(new byte[] {'K', 1, 't', 'Q', 'K', 0, 'K', 1, (byte) 0x85, 'K', 1, (byte) 0x85, (byte) 0x89});
    out.writeBytes("ccollections\nOrderedDict\n)RtR");
    out.write('u');
    for (var section : new String[] {"optimizer", "scaler"}) {
      text(out, section);
      out.write('}');
    }
    out.write(new byte[] {'u', '.'});
    var value = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(1.5f).array();
    try (var zip = new ZipOutputStream(Files.newOutputStream(file))) {
      for (var e : Map.of("a/data.pkl", p.toByteArray(), "a/data/0", value).entrySet()) {
        var entry = new ZipEntry(e.getKey());
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(e.getValue().length);
        var crc = new CRC32();
        crc.update(e.getValue());
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(e.getValue());
      }
    }
    return file;
  }

  private static void text(DataOutputStream out, String s) throws IOException {
    byte[] b = s.getBytes(StandardCharsets.UTF_8);
    out.write('X');
    out.writeInt(Integer.reverseBytes(b.length));
    out.write(b);
  }

  @Test void whatIsBesideTheWeightsIsKnown(@TempDir Path folder) throws IOException {
    try (var w = Weights.open(checkpoint(folder.resolve("epoch_3.pt")))) {
      assertEquals(Map.of("optimizer", "optimizer, scaler", "epoch", "3"), w.metadata());
      assertEquals(1.5f, w.floats("w")[0]);
    }
    try (var w = Weights.open(Path.of("src/main/resources/fixtures/checkpoints/variants/bf16.pt"))) {
      assertTrue(w.metadata().isEmpty());
    }
  }

  /// An operation that takes from a stack on which nothing lies: found among 10,000 mutants.
  @Test void anEmptyStackIsAnErrorThatNamesTheFile(@TempDir Path folder) throws IOException {
    for (var pickle : new byte[][] {{(byte) 0x80, 2, 'a', '.'}, {(byte) 0x80, 2, '.'}, {(byte) 0x80, 2, 'q', 0, '.'}}) {
      var file = Files.write(folder.resolve("weights.pt"), pickle);
      var e = assertThrows(IOException.class, () -> Weights.open(file));
      assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
    }
  }
}
