package jacquard.tests.cli.messages;

import static jacquard.tests.cli.Launcher.fails;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.tests.cli.Launcher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Shards that are none, are cut, or are named twice.
class BadShardsTest {
  @TempDir static Path folder;
  private static Path shards;

  @BeforeAll static void prepare() throws IOException {
    shards = folder.resolve("a");
    var pictures = Launcher.pictures(folder.resolve("pictures"), 16);
    assertEquals(0, Launcher.run("shards", pictures.toString(), shards.toString(), "--size", "8").status());
  }

  private static String[] train(String data, String... more) throws IOException {
    var all = new ArrayList<>(List.of(Launcher.train(folder, folder.resolve("pictures"), "run", 4)));
    all.set(all.indexOf("--train-data") + 1, data);
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  @Test void aFolderInPlaceOfAShard() throws IOException {
    var other = Files.createDirectories(folder.resolve("folder.tar"));
    fails(other + " is a folder, expected a tar", train(other + "::" + shards.resolve("00.tar")));
    assertFalse(Files.exists(folder.resolve("runs/run")));
  }

  /// Wherever a shard ends too early it is said, also in the padding behind a picture.
  @Test void aShardThatIsCut() throws IOException {
    byte[] whole = Files.readAllBytes(shards.resolve("00.tar"));
    int said = 0;
    for (int length = 512 * 8 + 700; length < 512 * 16; length += 1000) {
      var cut = Files.write(folder.resolve("cut.tar"), Arrays.copyOf(whole, length));
      var e = Launcher.run("data", cut.toString());
      assertTrue(e.text().contains("1 shard ends early, and what was behind is lost; the first: " + cut
          + ": it is cut"), length + ": " + e.text());
      said++;
    }
    assertTrue(said > 2);
    var nothing = Files.write(folder.resolve("nothing.tar"), Arrays.copyOf(whole, 530));
    fails("nothing.tar: it is cut within the entry at byte 0", "data", nothing.toString());
  }

  /// A shard that is named twice would be read twice an epoch; shards that only have equal names would not.
  @Test void sourcesOfTheSameName() throws IOException {
    var other = Files.createDirectories(folder.resolve("b"));
    Files.copy(shards.resolve("00.tar"), other.resolve("00.tar"));
    var one = shards.resolve("00.tar").toString();
    fails(one + " is named twice: its pairs would be read twice. Name it once; --train-data-upsampling-factors",
        train(one + "::" + one));
    fails("is named twice, in source 1 and in source 2", train(one + "::" + shards + "/./{00..01}.tar",
        "--train-data-upsampling-factors", "1::2"));
    fails(one + " is named twice: ", "data", shards + "/{00,00}.tar");
    var both = Launcher.run("data", one + "::" + other.resolve("00.tar"));
    assertTrue(both.status() == 0 && both.text().contains("16 pairs in 2 shards"), both.text());
  }

  /// Variables stand for the same with factors and without.
  @Test void variablesBesideFactors() throws Exception {
    for (var factors : List.of("", "--train-data-upsampling-factors=2")) {
      var output = folder.resolve("variables" + factors + ".txt");
      var p = Launcher.start(output, List.of("env", "WDS_root=" + shards), train("${root}/{00..01}.tar", "--dry-run",
          factors.isEmpty() ? "--ranks=1" : factors));
      assertEquals(0, p.waitFor(), Files.readString(output));
    }
  }
}
