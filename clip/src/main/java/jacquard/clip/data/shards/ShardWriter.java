package jacquard.clip.data.shards;

import jacquard.clip.checkpoint.files.AtomicFile;
import jacquard.clip.settings.Json;
import jacquard.clip.settings.Reason;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// Writes pairs into shards as img2dataset lays them out: `00000.tar`, `00001.tar` …, in each as many pairs, of each a
/// picture, its caption as `.txt` and a `.json`; the key is the shard's number and four or more digits of the pair's. A
/// shard appears whole or not at all; the same samples give the same bytes.
public final class ShardWriter implements AutoCloseable {
  private final Path folder;
  private final int perShard, width, digits;
  private final SequencedMap<String, Integer> counts = new LinkedHashMap<>();
  private OutputStream tar;
  private int shard, inShard;

  /// @param perShard pairs a shard
  /// @param width    digits of a shard's number
  /// @throws IOException if the folder holds shards already, or cannot be made
  public ShardWriter(Path folder, int perShard, int width) throws IOException {
    if (perShard < 1) throw new IllegalArgumentException(perShard + " samples a shard, expected at least 1");
    this.folder = Files.createDirectories(folder);
    this.perShard = perShard;
    this.width = width;
    this.digits = Math.max(4, Integer.toString(perShard - 1).length());
    try (var all = Files.newDirectoryStream(folder, "*.tar")) {
      for (var there : all)
        throw new IOException(folder + " holds shards already (" + there.getFileName()
            + "); choose another folder, or take them away");
    }
  }

  /// @param extension of the picture's file
  public void add(String extension, byte[] picture, String caption) throws IOException {
    try { put(extension, picture, caption); } catch (IOException e) { throw failed(e); }
  }

  private IOException failed(IOException e) {
    return new IOException(part() + ": could not write it: " + Reason.of(e), e);
  }

  private void put(String extension, byte[] picture, String caption) throws IOException {
    if (tar == null) tar = new BufferedOutputStream(Files.newOutputStream(part()), 1 << 16);
    var key = number(shard, width) + number(inShard, digits);
    entry(tar, key + "." + extension, picture);
    entry(tar, key + ".txt", caption.getBytes(StandardCharsets.UTF_8));
    var json = new LinkedHashMap<String, Object>();
    json.put("key", key);
    json.put("caption", caption);
    json.put("status", "success");
    entry(tar, key + ".json", Json.text(json).getBytes(StandardCharsets.UTF_8));
    if (++inShard == perShard) finish();
  }

  private static String number(int n, int width) { return ("%0" + width + "d").formatted(n); }
  private Path part() { return folder.resolve(number(shard, width) + ".tar.part"); }

  /// Writes a file into a tar.
  public static void entry(OutputStream tar, String name, byte[] content) throws IOException {
    byte[] h = new byte[Tar.BLOCK];
    put(h, 0, name);
    put(h, 100, "0000644\0" + "0000000\0" + "0000000\0" + "%011o\0".formatted(content.length) + "00000000000\0"
        + "        0");
    put(h, 257, "ustar\00000");
    int sum = 0;
    for (byte b : h) sum += b & 255;
    put(h, 148, "%06o\0 ".formatted(sum));
    tar.write(h);
    tar.write(content);
    tar.write(new byte[(Tar.BLOCK - content.length % Tar.BLOCK) % Tar.BLOCK]);
  }

  private static void put(byte[] h, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(bytes, 0, h, at, bytes.length);
  }

  private void finish() throws IOException {
    tar.write(new byte[2 * Tar.BLOCK]);
    tar.close();
    tar = null;
    var whole = folder.resolve(number(shard, width) + ".tar");
    Files.move(part(), whole, StandardCopyOption.ATOMIC_MOVE);
    shard++;
    counts.put(whole.getFileName().toString(), inShard);
    inShard = 0;
    ShardIndex.of(new ShardFile.OnDisk(whole));
  }

  /// The names of the shards written, and how many samples each holds.
  public SequencedMap<String, Integer> counts() { return counts; }

  /// Ends the last shard and writes `sizes.json`, from which OpenCLIP learns how many samples there are.
  public void done() throws IOException {
    try { if (tar != null) finish(); } catch (IOException e) { throw failed(e); }
    AtomicFile.write(folder.resolve("sizes.json"), Json.text(counts));
  }

  /// Takes away a shard that was begun.
  @Override public void close() throws IOException {
    if (tar == null) return;
    // on a full disk its last bytes cannot be written either
    try { tar.close(); } finally { Files.deleteIfExists(part()); }
  }
}
