package jacquard.tests.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.data.Framing;
import jacquard.clip.data.Preparation;
import jacquard.clip.data.shards.Fields;
import jacquard.clip.data.shards.ShardStream;
import jacquard.clip.data.shards.ShardWriter;
import jacquard.clip.data.shards.Shards;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.HubConfig;
import jacquard.clip.model.Presets;
import jacquard.clip.text.ClipTokenizer;
import jacquard.tensor.Random;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a training reads of shards, step by step.
class ShardStreamTest {
  private static final Random DRAW = Random.of(1);
  @TempDir Path folder;

  private static byte[] picture(int width, int height) throws IOException {
    var out = new ByteArrayOutputStream();
    ImageIO.write(new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB), "png", out);
    return out.toByteArray();
  }

  private static ShardStream stream(Shards s, Shards.Epochs how, int size) {
    var transform = new Transform(HubConfig.preprocess(Presets.of("emoji")));
    return new ShardStream(s, how, size, 5, key ->
        new Preparation(new Framing.Whole(transform, Augmentation.DEFAULT), ClipTokenizer.clip(), 16, key));
  }

  private Path[] written(int pairs, int perShard) throws IOException {
    try (var w = new ShardWriter(folder.resolve("out"), perShard, 5)) {
      for (int i = 0; i < pairs; i++) w.add("png", picture(20 + i, 20), "caption " + i);
      w.done();
      return w.counts().keySet().stream().map(n -> folder.resolve("out").resolve(n)).toArray(Path[]::new);
    }
  }

  @Test void whatIsWrittenIsRead() throws IOException {
    var shards = ShardsTest.open(written(25, 10));
    assertEquals(List.of("000000000", "000010004"), List.of(shards.key(0), shards.key(14)));
    assertEquals(25, shards.size());
    for (int i = 0; i < 25; i++) {
      assertEquals(20 + i, shards.pair(i, DRAW).picture().width());
      assertEquals("caption " + i, shards.pair(i, DRAW).caption());
    }
    assertEquals("{\"00000.tar\":10,\"00001.tar\":10,\"00002.tar\":5}",
        Files.readString(folder.resolve("out/sizes.json")).replaceAll("\\s", ""));
    assertThrows(IOException.class, () -> new ShardWriter(folder.resolve("out"), 10, 5));
  }

  @Test void batchesAreAPureFunctionAndPartsOfTheWhole() throws IOException {
    var shards = ShardsTest.open(written(50, 8));
    for (var how : List.of(Shards.Epochs.PLAIN, new Shards.Epochs(0, false, 4, 5), new Shards.Epochs(70, true, 4, 5),
        new Shards.Epochs(33, false, 0, 0))) {
      ShardStream a = stream(shards, how, 12), b = stream(shards, how, 12);
      for (long s = 2 * a.perEpoch() + 1; s >= 0; s -= 3) {
        var whole = a.at(s);
        assertArrayEquals(whole.pictures().rows(), b.at(s).pictures().rows());
        var joined = new ArrayList<Integer>();
        for (int r = 0; r < 3; r++) for (int i : b.at(s, r, 3, 1).samples()) joined.add(i);
        assertEquals(Arrays.stream(whole.samples()).boxed().toList(), joined);
      }
    }
    assertFalse(stream(shards, Shards.Epochs.PLAIN, 12).order()
        .equals(stream(shards, new Shards.Epochs(0, false, 4, 5), 12).order()));
    var seen = new HashSet<Long>();
    var one = stream(shards, Shards.Epochs.PLAIN, 12);
    for (long s = 0; s < one.perEpoch(); s++) for (long n : one.numbers(s, 0, 1, 1)) assertTrue(seen.add(n));
    assertEquals(48, seen.size());
    assertThrows(IllegalArgumentException.class, () -> stream(shards, Shards.Epochs.PLAIN, 51));
  }

  /// What cannot be read is counted by its reason and shifts nobody.
  @Test void samplesAreLeftOutByReason() throws IOException {
    var fields = new Fields(List.of("png"), List.of("txt"), List.of(), List.of(), 2000);
    var tar = new Tar();
    for (int i = 0; i < 8; i++)
      tar.file(i + ".png", i == 2 ? "broken".getBytes() : i == 3 ? new byte[0] : picture(i == 4 ? 400 : 20, 20))
          .file(i + ".txt", i == 5 ? "" : "caption");
    var file = Files.write(folder.resolve("0.tar"), tar.end());
    var stream = stream(ShardsTest.open(fields, file), Shards.Epochs.PLAIN, 8);
    assertEquals(4, stream.at(0).count());
    var note = stream.notes().getLast();
    assertTrue(note.startsWith("4 samples could not be read and were left out (1 that are too large, 2 whose picture "
        + "is broken, 1 with an empty caption); the first: "), note);
    assertEquals(Arrays.stream(stream.numbers(1, 0, 1, 1)).filter(n -> n < 2 || n > 5).boxed().toList(),
        Arrays.stream(stream.at(1).samples()).mapToObj(n -> (long) n).toList());
  }

  @Test void aShardThatChangesUnderWayIsSaid() throws IOException {
    var files = written(20, 10);
    var stream = stream(ShardsTest.open(files), Shards.Epochs.PLAIN, 20);
    assertEquals(20, stream.at(0).count());
    Files.setLastModifiedTime(files[0], FileTime.fromMillis(1));
    assertEquals(10, stream.at(1).count());
    assertTrue(stream.notes().getLast().contains("10 whose shard could not be read"), stream.notes()::toString);
    assertTrue(stream.firstFailure().contains("00000.tar changed while it was read"), stream.firstFailure());
    Files.delete(files[1]);
    assertEquals(0, stream.at(2).count());
  }
}
