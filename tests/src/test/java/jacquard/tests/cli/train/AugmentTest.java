package jacquard.tests.cli.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.tests.cli.Launcher;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Augmentation as a user asks for it: the contact sheet, a training with all of it, and a policy that is none.
class AugmentTest {
  private static final String[] CHANGES = {"--augment", "rand-m9-mstd0.5-inc1", "--erase-prob", "0.5", "--blur-prob",
      "0.3", "--synonyms", "0.5", "--word-dropout", "0.2", "--token-masking", "0.1", "--caption-choice"};

  private static String[] and(String[] more, String... first) {
    var r = java.util.Arrays.copyOf(first, first.length + more.length);
    System.arraycopy(more, 0, r, first.length, more.length);
    return r;
  }

  @Test void theSheetShowsPairsAsTheyLieAndAsStepsChangeThem(@TempDir Path folder) throws Exception {
    var sheet = folder.resolve("sheet.png");
    var done = Launcher.run(and(CHANGES, "data", "emoji", "--show", "3", "--sheet", sheet.toString()));
    assertEquals(0, done.status(), done.text());
    assertTrue(done.text().contains("3 pairs in " + sheet), done.text());
    BufferedImage image = ImageIO.read(sheet.toFile());
    assertEquals(2 * (2 * 16 + 7 * 122 - 10), image.getWidth());
    assertEquals(2 * (56 + 3 * 138 + 16), image.getHeight());
    // the first step's picture is not the one that lies there
    long same = 0;
    for (int y = 0; y < 224; y += 8)
      for (int x = 0; x < 224; x += 8)
        if (image.getRGB(32 + x, 112 + y) == image.getRGB(32 + 244 + x, 112 + y)) same++;
    assertTrue(same < 28 * 28, "nothing changed");
  }

  @Test void aTrainingTakesAllOfIt(@TempDir Path folder) throws Exception {
    var rows = new StringBuilder("filepath,title\n");
    for (int i = 0; i < 4; i++) {
      ImageIO.write(new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB), "png", folder.resolve(i + ".png").toFile());
      rows.append(i / 2).append(".png,a big picture ").append(i).append('\n');
    }
    Files.writeString(folder.resolve("pairs.csv"), rows);
    var done = Launcher.run(and(CHANGES, "train", "--train-data", folder.resolve("pairs.csv").toString(), "--steps",
        "2", "--warmup", "0", "--batch-size", "2", "--logs", folder.toString(), "--name", "a"));
    assertEquals(0, done.status(), done.text());
    // the rows of one picture are one sample
    assertTrue(done.text().contains("(2 pairs"), done.text());
    var wrong = Launcher.run("train", "--augment", "rand-x9", "--logs", folder.toString(), "--name", "b");
    assertEquals(1, wrong.status());
    assertTrue(wrong.text().contains("what is \"x9\"?"), wrong.text());
  }
}
