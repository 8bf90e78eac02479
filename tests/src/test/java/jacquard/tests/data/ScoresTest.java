package jacquard.tests.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.data.parquet.Columns;
import jacquard.clip.data.parquet.Scores;
import jacquard.clip.data.parquet.Sidecar;
import jacquard.clip.data.parquet.Uids;
import jacquard.clip.data.shards.Fields;
import jacquard.clip.data.shards.ShardWriter;
import jacquard.clip.data.shards.Shards;
import jacquard.tensor.Random;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Samples kept by a column of the Parquet file beside their shard. `scores.parquet` was written by pyarrow, compressed
/// by Snappy: keys 000000000 to 000000005, scores 0.1, 0.2, 0.3, none, 0.35 and 0.4.
class ScoresTest {
  private static final String COLUMN = "clip_l14_similarity_score";
  @TempDir Path folder;

  private static byte[] file() throws IOException {
    try (var in = ScoresTest.class.getResourceAsStream("/scores.parquet")) { return in.readAllBytes(); }
  }

  @Test void rowsOfALargeEnoughNumberStay() throws IOException {
    assertEquals(Set.of("000000002", "000000004", "000000005"), new Scores(COLUMN, .25).kept("x", file()));
    assertEquals(Set.of("000000003", "000000004", "000000005"), new Scores("width", 40).kept("x", file()));
  }

  @Test void shardsHoldWhatStaysAndCountTheRest() throws IOException {
    try (var w = new ShardWriter(folder, 10, 5)) {
      for (int i = 0; i < 6; i++) w.add("jpg", new byte[] {(byte) i}, "caption " + i);
      w.done();
    }
    var tar = folder.resolve("00000.tar");
    Files.write(folder.resolve("00000.parquet"), file());
    var all = Shards.open("all", List.of(new Shards.From(List.of(tar.toString()), 1)), Fields.DEFAULT);
    assertEquals("000000000", all.key(0));
    var some = Shards.open("some", List.of(new Shards.From(List.of(tar.toString()), 1)), Fields.DEFAULT, null,
        new Columns(List.of(new Scores(COLUMN, .25)), null));
    assertEquals(3, some.size());
    assertEquals(List.of("000000002", "000000004", "000000005"), List.of(some.key(0), some.key(1), some.key(2)));
    assertArrayEquals(new byte[] {4}, some.file(1));
    assertEquals("caption 5", some.caption(2, Random.of(1)));
    assertEquals(Map.of("whose " + COLUMN + " is below 0.25, or missing", 3L), some.lost());
  }

  /// Of the `.npz` beside a shard: an array of numbers, and the cosines of two arrays of features.
  @Test void arraysBesideTheShardCountToo() throws IOException {
    var side = new Sidecar() {
      @Override public String name(String ending) { return "0" + ending; }
      @Override public byte[] read(String ending) throws IOException {
        return ending.equals(".parquet") ? file() : npz(Map.of("aesthetic", new float[] {1, 5, 6, 7, 2, 3},
            "l14_img", new float[] {1, 0, 0, 2, 3, 0, 1, 1, 1, 0, -1, 0},
            "l14_txt", new float[] {2, 0, 1, 0, 4, 0, 2, 2, 1, 1, 1, 0}));
      }
    };
    assertEquals(Set.of("000000001", "000000002", "000000003"), new Scores("aesthetic", 4).kept(side));
    // cosines 1, 0, 1, 1, 0.707, -1
    assertEquals(Set.of("000000000", "000000002", "000000003", "000000004"), new Scores("l14", .7).kept(side));
    assertTrue(assertThrows(IOException.class, () -> new Scores("b32", .7).kept(side)).getMessage()
        .startsWith("0.npz: no array \"b32\", nor b32_img and b32_txt"));
    assertEquals(Set.of("000000002", "000000004", "000000005"), new Scores(COLUMN, .25).kept(side));
  }

  private static byte[] npz(Map<String, float[]> arrays) throws IOException {
    var bytes = new java.io.ByteArrayOutputStream();
    try (var zip = new java.util.zip.ZipOutputStream(bytes)) {
      zip.setMethod(java.util.zip.ZipOutputStream.STORED);
      for (var a : arrays.entrySet()) {
        var shape = a.getValue().length == 6 ? "(6,)" : "(6, 2)";
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
        header += " ".repeat(118 - 1 - header.length()) + "\n";
        var b = java.nio.ByteBuffer.allocate(10 + 118 + 4 * a.getValue().length)
            .order(java.nio.ByteOrder.LITTLE_ENDIAN).put((byte) 0x93).put("NUMPY".getBytes()).put((byte) 1)
            .put((byte) 0).putShort((short) 118).put(header.getBytes());
        for (float f : a.getValue()) b.putFloat(f);
        var entry = new java.util.zip.ZipEntry(a.getKey() + ".npy");
        var crc = new java.util.zip.CRC32();
        crc.update(b.array());
        entry.setSize(b.capacity());
        entry.setCompressedSize(b.capacity());
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(b.array());
        zip.closeEntry();
      }
    }
    return bytes.toByteArray();
  }

  /// As DataComp's resharder: a structured array, or lines.
  @Test void listsOfUidsAreRead() throws IOException {
    var header = "{'descr': [('f0', '<u8'), ('f1', '<u8')], 'fortran_order': False, 'shape': (2,), }";
    header += " ".repeat(118 - 1 - header.length()) + "\n";
    var b = java.nio.ByteBuffer.allocate(10 + 118 + 32).order(java.nio.ByteOrder.LITTLE_ENDIAN).put((byte) 0x93)
        .put("NUMPY".getBytes()).put((byte) 1).put((byte) 0).putShort((short) 118).put(header.getBytes())
        .putLong(0x0123456789abcdefL).putLong(0x8000000000000001L).putLong(-1).putLong(7);
    var npy = Files.write(folder.resolve("uids.npy"), b.array());
    var text = Files.writeString(folder.resolve("uids.txt"), "ffffffffffffffff0000000000000007\n"
        + "0123456789abcdef8000000000000001\n");
    for (var f : List.of(npy, text)) {
      var u = Uids.read(f);
      assertArrayEquals(new long[] {0x0123456789abcdefL, -1}, u.high());
      assertArrayEquals(new long[] {0x8000000000000001L, 7}, u.low());
    }
    Files.writeString(text, "12\n");
    assertTrue(assertThrows(IOException.class, () -> Uids.read(text)).getMessage().contains("\"12\", expected a uid"));
    Files.write(npy, java.util.Arrays.copyOf(b.array(), 150));
    assertThrows(IOException.class, () -> Uids.read(npy));
    var beside = Sidecar.of("x", file());
    var uids = beside.texts("uid");
    Files.writeString(text, uids.get("000000004") + "\n" + uids.get("000000001").toUpperCase() + "\n");
    assertEquals(Set.of("000000001", "000000004"), Uids.read(text).kept(beside));
    assertEquals(Set.of(), Uids.read(Files.writeString(text, "")).kept(beside));
  }

  /// The captions of the rows, not of the shard.
  @Test void captionsMayLieBesideTheShard() throws IOException {
    try (var w = new ShardWriter(folder, 10, 5)) {
      for (int i = 0; i < 7; i++) w.add("jpg", new byte[] {(byte) i}, "other " + i);
      w.done();
    }
    Files.write(folder.resolve("00000.parquet"), file());
    var s = Shards.open("all", List.of(new Shards.From(List.of(folder.resolve("00000.tar").toString()), 1)),
        Fields.DEFAULT, null, new Columns(List.of(new Scores(COLUMN, .25)), "caption"));
    assertEquals(3, s.size());
    var expected = Sidecar.of("x", file()).texts("caption");
    assertEquals(expected.get("000000004"), s.caption(1, Random.of(1)));
    assertFalse(s.caption(1, Random.of(1)).startsWith("other"));
    assertEquals(1, s.lost().get("without a caption"));
  }

  @Test void whatIsNoSuchFileIsNamed() throws IOException {
    var s = new Scores(COLUMN, 0);
    for (byte[] wrong : List.of(new byte[0], "PAR1aaaaaaaaaaaaPAR1".getBytes(), new byte[5000]))
      assertThrows(IOException.class, () -> s.kept("x.parquet", wrong));
    byte[] right = file();
    // a cut or a flipped byte is an error or the same rows, never anything else
    for (int i = 0; i < right.length; i += 97) {
      byte[] flipped = right.clone();
      flipped[i] ^= 0x55;
      try { assertTrue(s.kept("x.parquet", flipped).size() <= 6); }
      catch (IOException said) { assertTrue(said.getMessage() != null); }
    }
    assertTrue(assertThrows(IOException.class, () -> new Scores("aesthetic", 5).kept("x.parquet", right)).getMessage()
        .contains("x.parquet has no column \"aesthetic\""));
    assertTrue(assertThrows(IOException.class, () -> new Scores("caption", 5).kept("x.parquet", right)).getMessage()
        .contains("holds no numbers"));
    assertEquals(new Scores("a=b", .5), Scores.parse("a=b=0.5"));
    for (var wrong : List.of("x", "x=", "=1", "x=y"))
      assertThrows(IllegalArgumentException.class, () -> Scores.parse(wrong), wrong);
    var there = Path.of("").toAbsolutePath();
    assertEquals(there + " is a folder, expected a list of uids, .npy or a text file",
        assertThrows(IOException.class, () -> Uids.read(there)).getMessage());
  }
}
