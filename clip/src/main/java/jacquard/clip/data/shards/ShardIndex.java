package jacquard.clip.data.shards;

import jacquard.clip.checkpoint.files.AtomicFile;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/// Where the samples of a shard lie. Entries become samples as in OpenCLIP: the key is the name up to the first dot of
/// its last part, the extension what follows, in small letters; a sample ends where the key changes, where an extension
/// comes again, and (unlike there) with the shard. Names without a dot and those between double underscores are left
/// out.
///
/// @param state  of the shard when it was read
/// @param broken why its end could not be read; empty where it could
public record ShardIndex(ShardFile.State state, String broken, List<Sample> samples) {
  private static final String FORMAT = "jacquard shard index 1";
  private static final Pattern METADATA = Pattern.compile("^__[^/]*__($|/)");
  private static final int CHECK = Long.BYTES, LONGEST_NAME = 4096;
  private static final System.Logger LOG = System.getLogger(ShardIndex.class.getName());

  /// @param at     first byte in the shard
  /// @param length in bytes
  public record Part(String extension, long at, long length) {}

  /// The files of one name, which is their key.
  public record Sample(String key, List<Part> parts) {
    /// The part with the first extension of several that is there; null where none is.
    public Part first(List<String> extensions) {
      for (var e : extensions) for (var p : parts) if (p.extension.equals(e)) return p;
      return null;
    }
  }

  /// The index beside the shard where that is of the shard as it is now; else it is made, and put there if that is
  /// possible.
  ///
  /// @throws IOException where the shard is not there or is no tar
  public static ShardIndex of(ShardFile shard) throws IOException {
    var state = shard.state();
    var file = shard.index();
    if (file != null && Files.isRegularFile(file)) {
      try {
        var found = parse(Files.readAllBytes(file));
        if (found.state.equals(state)) return found;
      } catch (IOException | RuntimeException e) { LOG.log(System.Logger.Level.DEBUG, "made anew: " + file, e); }
    }
    var made = shipped(shard, state);
    if (made == null) made = walk(shard, state);
    if (file != null) {
      try { AtomicFile.write(file, made.bytes()); }
      // a folder that only allows reading; the walk is made each time
      catch (IOException e) { LOG.log(System.Logger.Level.DEBUG, "not kept: " + file, e); }
    }
    return made;
  }

  /// The index that came with the shard, if it is of one of this size.
  private static ShardIndex shipped(ShardFile shard, ShardFile.State state) {
    byte[] bytes = shard.shipped();
    if (bytes == null) return null;
    try {
      var r = parse(bytes);
      return r.state.size() == state.size() ? new ShardIndex(state, r.broken, r.samples) : null;
    } catch (IOException | RuntimeException e) {
      LOG.log(System.Logger.Level.DEBUG, "made anew: " + shard.name(), e);
      return null;
    }
  }

  static ShardIndex walk(ShardFile shard, ShardFile.State state) throws IOException {
    var samples = new ArrayList<Sample>();
    var key = new String[] {null};
    var parts = new ArrayList<Part>();
    var broken = Tar.walk(shard, state.size(), e -> {
      var name = e.name();
      int dot = name.indexOf('.', name.lastIndexOf('/') + 1);
      if (METADATA.matcher(name).find() || dot <= name.lastIndexOf('/') + 1 || name.length() > LONGEST_NAME) return;
      var extension = name.substring(dot + 1).toLowerCase(Locale.ROOT);
      var k = name.substring(0, dot);
      if (!k.equals(key[0]) || parts.stream().anyMatch(p -> p.extension.equals(extension))) {
        if (!parts.isEmpty()) samples.add(new Sample(key[0], List.copyOf(parts)));
        parts.clear();
        key[0] = k;
      }
      parts.add(new Part(extension, e.at(), e.length()));
    });
    if (!parts.isEmpty()) samples.add(new Sample(key[0], List.copyOf(parts)));
    return new ShardIndex(state, broken, List.copyOf(samples));
  }

  byte[] bytes() throws IOException {
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    out.writeUTF(FORMAT);
    out.writeLong(state.size());
    out.writeLong(state.stamp());
    out.writeUTF(broken);
    out.writeInt(samples.size());
    for (var s : samples) {
      out.writeUTF(s.key);
      out.writeShort(s.parts.size());
      for (var p : s.parts) {
        out.writeUTF(p.extension);
        out.writeLong(p.at);
        out.writeLong(p.length);
      }
    }
    out.writeLong(sum(bytes.toByteArray(), bytes.size()));
    return bytes.toByteArray();
  }

  static ShardIndex parse(byte[] bytes) throws IOException {
    int end = bytes.length - CHECK;
    var in = new DataInputStream(new ByteArrayInputStream(bytes));
    if (end < 0 || !in.readUTF().equals(FORMAT)) throw new IOException("no index of a shard");
    if (new DataInputStream(new ByteArrayInputStream(bytes, end, CHECK)).readLong() != sum(bytes, end))
      throw new IOException("a broken index of a shard");
    var state = new ShardFile.State(in.readLong(), in.readLong());
    var broken = in.readUTF();
    int count = in.readInt();
    var samples = new ArrayList<Sample>();
    for (int i = 0; i < count; i++) {
      var key = in.readUTF();
      var parts = new Part[in.readUnsignedShort()];
      for (int k = 0; k < parts.length; k++) parts[k] = new Part(in.readUTF(), in.readLong(), in.readLong());
      samples.add(new Sample(key, List.copyOf(Arrays.asList(parts))));
    }
    return new ShardIndex(state, broken, samples);
  }

  private static long sum(byte[] bytes, int length) {
    var crc = new CRC32();
    crc.update(bytes, 0, length);
    return crc.getValue();
  }
}
