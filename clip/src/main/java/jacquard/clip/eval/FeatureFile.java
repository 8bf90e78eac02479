package jacquard.clip.eval;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.settings.Json;
import jacquard.clip.settings.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

/// Features on their way to disk: `OUT.npy` (NumPy's format 1.0, float32, a row an input) and `OUT.jsonl` (what each
/// row is), in memory of one batch and of any size. Until they are whole they are `OUT.npy.part` and `OUT.jsonl.part`,
/// and `OUT.part` says how far they are: whoever is killed loses the batch in progress alone, and goes on from there.
/// After each batch the rows so far are a sound `.npy` file.
public final class FeatureFile implements AutoCloseable {
  /// 10 bytes of magic, version and length, then the header: fixed, so that the count can be written over.
  private static final int HEADER = 128;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Path out, rowsPart, namesPart, state;
  private final boolean resume;
  private final FileChannel rows, names;
  private String fingerprint;
  private long done, count, failed;
  private int width;

  /// @param out    where to write, without the ending
  /// @param resume whether to go on with what was stopped, if anything was
  /// @throws IOException if it cannot be written there, or is being written
  public FeatureFile(String out, boolean resume) throws IOException {
    this.out = Path.of(out).toAbsolutePath();
    if (out.endsWith("/") || Files.isDirectory(this.out))
      throw new IOException("--out " + out + " is a folder, expected the name of the files to write, without the "
          + "ending, as " + Path.of(out).resolve("features"));
    this.resume = resume;
    rowsPart = beside(".npy.part");
    namesPart = beside(".jsonl.part");
    state = beside(".part");
    if (!Files.isDirectory(this.out.getParent()))
      throw new IOException(this.out.getParent() + " is no folder: --out " + out
          + " cannot be written there; make the folder, or choose another --out");
    for (var p : List.of(beside(".npy"), beside(".jsonl"), rowsPart, namesPart, state))
      if (Files.isDirectory(p)) throw new IOException(p + " is a folder; choose another --out");
    FileChannel r = null, n = null;
    try {
      r = opened(rowsPart);
      n = opened(namesPart);
      rows = r;
      names = n;
      if (!lock(r)) throw new IOException(rowsPart + " is being written by another process; choose another --out");
    } catch (IOException e) {
      if (r != null) r.close();
      if (n != null) n.close();
      throw new IOException("--out " + out + ": " + Reason.of(e), e);
    }
  }

  /// Begins, or goes on. Nothing that is there is touched before.
  ///
  /// @param fingerprint of the model and all inputs: what is gone on with must have the same
  /// @throws IOException if it was begun with another model or other inputs
  public void begin(String fingerprint) throws IOException {
    if (resume && Files.exists(state)) goOn(Json.read(state), fingerprint);
    else if (!resume) Files.deleteIfExists(state);
    rows.truncate(count == 0 ? 0 : HEADER + 4L * count * width);
    if (count == 0) names.truncate(0);
    this.fingerprint = fingerprint;
  }

  private Path beside(String ending) { return out.resolveSibling(out.getFileName() + ending); }

  private static FileChannel opened(Path part) throws IOException {
    return FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private static boolean lock(FileChannel channel) throws IOException {
    try { return channel.tryLock() != null; } catch (OverlappingFileLockException held) { return false; }
  }

  private void goOn(Map<String, Object> json, String fingerprint) throws IOException {
    if (!fingerprint.equals(json.get("of")))
      throw new IOException(state + " was begun with another model or other inputs, or one of them changed since; "
          + "embed all of them anew without --resume");
    done = number(json, "inputs");
    failed = number(json, "failed");
    width = (int) number(json, "width");
    long bytes = number(json, "names");
    count = number(json, "rows");
    if (count > 0 && rows.size() < HEADER + 4L * count * width || names.size() < bytes)
      throw new IOException(state + " says " + count + " rows, but its files are shorter; embed anew without --resume");
    names.truncate(bytes);
  }

  private long number(Map<String, Object> json, String key) throws IOException {
    if (json.get(key) instanceof Number n && n.longValue() >= 0) return n.longValue();
    throw new IOException(state + ": " + key + " is " + json.get(key) + ", expected a number; embed anew without "
        + "--resume");
  }

  /// How many inputs are behind, of a run before too: those that became rows, and those that failed.
  public long done() { return done; }

  public long rows() { return count; }

  public long failed() { return failed; }

  public int width() { return width; }

  /// Writes a batch.
  ///
  /// @param kind     what the inputs are: `image` or `text`
  /// @param inputs   as they are named, each the input of a row
  /// @param features `[inputs][embedding]`; null where the input could not be read
  /// @throws IOException naming the file, if it cannot be written; what is on disk can be gone on with
  public void write(String kind, List<String> inputs, float[][] features) throws IOException {
    try { written(kind, inputs, features); } catch (IOException e) {
      throw new IOException(rowsPart + " and its names could not be written (" + Reason.of(e) + "); what was there "
          + "before stays: make room and go on with --resume", e);
    }
  }

  private void written(String kind, List<String> inputs, float[][] features) throws IOException {
    var lines = new StringBuilder();
    for (float[] f : features) if (f != null) width = f.length;
    var bytes = ByteBuffer.allocate(4 * width).order(ByteOrder.LITTLE_ENDIAN);
    long at = HEADER + 4L * count * width;
    for (int i = 0; i < features.length; i++) {
      done++;
      if (features[i] == null) { failed++; continue; }
      bytes.clear().asFloatBuffer().put(features[i]);
      at = whole(rows, bytes, at);
      lines.append(MAPPER.createObjectNode().put("row", count++).put(kind, inputs.get(i))).append('\n');
    }
    if (count > 0) header();
    whole(names, ByteBuffer.wrap(lines.toString().getBytes(StandardCharsets.UTF_8)), names.size());
    var temporary = beside(".part.tmp");
    Files.writeString(temporary, Json.text(Map.of("of", fingerprint, "inputs", done, "failed", failed, "width", width,
        "rows", count, "names", names.size())));
    Files.move(temporary, state, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private void header() throws IOException {
    var text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + count + ", " + width + "), }";
    var b = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
    b.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII)).put((byte) 1).put((byte) 0)
        .putShort((short) (HEADER - 10));
    b.put(text.getBytes(StandardCharsets.US_ASCII));
    while (b.position() < HEADER - 1) b.put((byte) ' ');
    whole(rows, b.put((byte) '\n').flip(), 0);
  }

  private static long whole(FileChannel to, ByteBuffer bytes, long at) throws IOException {
    while (bytes.hasRemaining()) at += to.write(bytes, at);
    return at;
  }

  /// Gives the files their names, over those that were there.
  public void finish() throws IOException {
    rows.force(true);
    names.force(true);
    Files.move(rowsPart, beside(".npy"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    Files.move(namesPart, beside(".jsonl"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    Files.deleteIfExists(state);
  }

  /// Leaves what is there to be gone on with; nothing where nothing is.
  @Override public void close() throws IOException {
    rows.close();
    names.close();
    boolean nothing = fingerprint == null ? Files.size(rowsPart) == 0 && !Files.exists(state) : Files.exists(rowsPart)
        && (done == 0 || count == 0);
    if (nothing) for (var p : List.of(rowsPart, namesPart, state)) Files.deleteIfExists(p);
  }
}
