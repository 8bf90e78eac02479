package jacquard.clip.checkpoint.torch;

import jacquard.clip.checkpoint.Piece;
import jacquard.clip.checkpoint.Stored;
import jacquard.clip.checkpoint.files.AtomicFile;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Writes a state dict as `torch.save` does: a zip archive of stored entries, `data.pkl` (protocol 2), one entry a
/// tensor, `version` and `byteorder`. `torch.load(weights_only=True)` reads it.
public final class TorchWriter {
  private static final int CHUNK = 1 << 20;
  private static final String FOLDER = "archive/";

  private TorchWriter() {}

  /// Whole or not at all, one tensor in memory at a time.
  public static void write(Path file, Map<String, Piece> tensors) throws IOException {
    AtomicFile.stream(file, out -> {
      var zip = new ZipOutputStream(out);
      entry(zip, "data.pkl", MemorySegment.ofArray(pickle(tensors)));
      entry(zip, "byteorder", text("little"));
      int i = 0;
      for (var t : tensors.values()) entry(zip, "data/" + i++, t.bytes());
      entry(zip, "version", text("3\n"));
      zip.finish();
    });
  }

  private static MemorySegment text(String text) {
    return MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static void entry(ZipOutputStream zip, String name, MemorySegment bytes) throws IOException {
    var e = new ZipEntry(FOLDER + name);
    e.setMethod(ZipEntry.STORED);
    // 1980, the first that zip knows: the same weights, the same file
    e.setTime(315532800000L);
    e.setSize(bytes.byteSize());
    e.setCompressedSize(bytes.byteSize());
    var crc = new CRC32();
    for (long at = 0; at < bytes.byteSize(); at += CHUNK)
      crc.update(bytes.asSlice(at, Math.min(CHUNK, bytes.byteSize() - at)).asByteBuffer());
    e.setCrc(crc.getValue());
    zip.putNextEntry(e);
    copy(zip, bytes);
    zip.closeEntry();
  }

  private static void copy(OutputStream out, MemorySegment bytes) throws IOException {
    byte[] buffer = new byte[CHUNK];
    for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
      int n = (int) Math.min(CHUNK, bytes.byteSize() - at);
      bytes.asSlice(at, n).asByteBuffer().get(buffer, 0, n);
      out.write(buffer, 0, n);
    }
  }

  private static byte[] pickle(Map<String, Piece> tensors) throws IOException {
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    out.write(new byte[] {(byte) 0x80, 2});
    global(out, "collections", "OrderedDict");
    out.writeBytes(")R(");
    int i = 0;
    for (var e : tensors.entrySet()) {
      unicode(out, e.getKey());
      tensor(out, e.getValue(), i++);
    }
    out.writeBytes("u.");
    return bytes.toByteArray();
  }

  /// `_rebuild_tensor_v2(memory, 0, size, stride, False, OrderedDict())`
  private static void tensor(DataOutputStream out, Piece p, int key) throws IOException {
    global(out, "torch._utils", "_rebuild_tensor_v2");
    out.writeBytes("((");
    unicode(out, "storage");
    global(out, "torch", storage(p.stored()));
    unicode(out, Integer.toString(key));
    unicode(out, "cpu");
    number(out, p.shape().size());
    out.writeBytes("tQ");
    number(out, 0);
    int[] dims = p.shape().dims();
    out.writeByte('(');
    for (int d : dims) number(out, d);
    out.writeBytes("t(");
    for (long s : Piece.strides(dims)) number(out, s);
    out.writeByte('t');
    out.writeByte(0x89);
    global(out, "collections", "OrderedDict");
    out.writeBytes(")RtR");
  }

  private static String storage(Stored s) {
    return switch (s) {
      case F64 -> "DoubleStorage";
      case F32 -> "FloatStorage";
      case F16 -> "HalfStorage";
      case BF16 -> "BFloat16Storage";
      case I64 -> "LongStorage";
      case I32 -> "IntStorage";
      case I16 -> "ShortStorage";
      case I8 -> "CharStorage";
      case U8 -> "ByteStorage";
      case BOOL -> "BoolStorage";
    };
  }

  private static void global(DataOutputStream out, String module, String name) throws IOException {
    out.writeBytes("c" + module + "\n" + name + "\n");
  }

  private static void unicode(DataOutputStream out, String text) throws IOException {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    out.writeByte('X');
    out.writeInt(Integer.reverseBytes(utf8.length));
    out.write(utf8);
  }

  /// `BININT`, or `LONG1` where it is too small.
  private static void number(DataOutputStream out, long n) throws IOException {
    if (n == (int) n) {
      out.writeByte('J');
      out.writeInt(Integer.reverseBytes((int) n));
    } else {
      out.write(new byte[] {(byte) 0x8a, 8});
      out.writeLong(Long.reverseBytes(n));
    }
  }
}
