package jacquard.tests.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.data.parquet.Scores;
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
        new Scores(COLUMN, .25));
    assertEquals(3, some.size());
    assertEquals(List.of("000000002", "000000004", "000000005"), List.of(some.key(0), some.key(1), some.key(2)));
    assertArrayEquals(new byte[] {4}, some.file(1));
    assertEquals("caption 5", some.caption(2, Random.of(1)));
    assertEquals(Map.of("whose " + COLUMN + " is below 0.25, or missing", 3L), some.lost());
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
  }
}
