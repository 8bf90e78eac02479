package jacquard.tests.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.data.Batches;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.data.source.FolderSource;
import jacquard.clip.data.source.TableSource;
import jacquard.clip.image.Augmentation;
import jacquard.clip.image.Transform;
import jacquard.clip.model.HubConfig;
import jacquard.clip.model.Presets;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SourcesTest {
  @TempDir Path folder;

  private Path table(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  @Test void quotesMarksAndNewlines() throws IOException {
    var t = TableSource.read(table("a.csv",
        "\ufefffilepath,title\r\na.png,\"two\nlines, \"\"quoted\"\"\"\r\nb.png, \r\nc.png,plain"), ',', "filepath", "title");
    assertEquals(List.of("two\nlines, \"quoted\"", "plain"), t.captions());
    assertEquals(1, t.skipped());
    assertEquals(folder.resolve("c.png"), t.paths().getLast());
  }

  @Test void badTablesAreNamed() throws IOException {
    for (var bad : List.of("", "path,title\nx,y", "filepath,title\nx", "filepath,title\nx,\"y")) {
      var file = table("bad.csv", bad);
      var e = assertThrows(IOException.class, () -> TableSource.read(file, ',', "filepath", "title"), bad);
      assertTrue(e.getMessage().contains("bad.csv"), e.getMessage());
    }
    var binary = Files.write(folder.resolve("binary.csv"), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
    assertThrows(IOException.class, () -> TableSource.read(binary, ',', "filepath", "title"));
  }

  private Path picture(String name) throws IOException {
    var p = folder.resolve(name);
    ImageIO.write(new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB), "png", p.toFile());
    return p;
  }

  @Test void foldersNeedCaptions() throws IOException {
    assertThrows(IOException.class, () -> FolderSource.read(folder));
    picture("b.png");
    picture("a.png");
    picture("c.png");
    table("a.txt", "an a\n");
    table("b.txt", "a b");
    var s = FolderSource.read(folder);
    assertEquals(List.of("an a", "a b"), s.captions());
    assertEquals(1, s.skipped());
    table("c.TXT", "a c");
    table("d.heic", "no picture that is read");
    s = FolderSource.read(folder);
    assertEquals(List.of("an a", "a b", "a c"), s.captions());
    assertEquals("1 .heic", s.leftOut());
    assertEquals(List.of(), s.unread());
    Files.createSymbolicLink(folder.resolve("back"), folder);
    s = FolderSource.read(folder);
    assertEquals(3, s.size());
    assertEquals(List.of(folder.resolve("back") + ": the folder contains itself through a link"), s.unread());
    assertEquals("1 folder skipped: " + s.unread().getFirst(), FolderSource.skipped(s.unread()));
    assertThrows(IOException.class, () -> FolderSource.pictures(folder), "a figure over a part would be wrong");
  }

  /// A broken picture is left out of its batch and counted; the others stay.
  @Test void aBrokenPictureStopsNothing() throws IOException {
    for (int i = 0; i < 4; i++) {
      picture("p" + i + ".png");
      table("p" + i + ".txt", "caption " + i);
    }
    Files.write(folder.resolve("p2.png"), new byte[0]);
    var b = new Batches(FolderSource.read(folder), new Transform(HubConfig.preprocess(Presets.of("emoji"))),
        Augmentation.DEFAULT, 4, 16, 0);
    assertEquals(3, b.at(0).count());
    assertEquals(1, b.unreadable());
  }

  @Test void batchesFollowFromSeedAndStep() {
    var transform = new Transform(HubConfig.preprocess(Presets.of("emoji")));
    var source = EmojiSource.heldOut();
    var a = new Batches(source, transform, Augmentation.DEFAULT, 64, 16, 5);
    var b = new Batches(source, transform, Augmentation.DEFAULT, 64, 16, 5);
    assertArrayEquals(a.at(7).pictures().rows(), b.at(7).pictures().rows());
    assertFalse(java.util.Arrays.equals(a.at(7).samples(),
        new Batches(source, transform, Augmentation.DEFAULT, 64, 16, 6).at(7).samples()));
    var seen = new HashSet<Integer>();
    for (int s = 0; s < a.perEpoch(); s++)
      for (int i : a.at(s).samples()) assertTrue(seen.add(i), "a sample twice in an epoch");
  }

  @Test void theHeldOutFamilyIsNotTrainedOn() {
    assertTrue(EmojiSource.training().drawings().stream().noneMatch(d -> d.family().equals(EmojiSource.HELD_OUT)));
    assertTrue(EmojiSource.training().size() > 10_000 && EmojiSource.heldOut().size() > 1_800);
    assertTrue(EmojiSource.training().drawings().stream().noneMatch(d -> d.caption().isBlank()));
  }
}
