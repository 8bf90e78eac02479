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

/// A step of one pair: the softmax loss is 0, which is said; the sigmoid loss learns from it.
class OnePairTest {
  private static final String NOTHING =
      "the softmax loss of one pair is 0, and nothing is learned from it; use --batch-size 2 or more";

  @Test void theSoftmaxLossOfOnePairIsSaid(@TempDir Path folder) throws Exception {
    assertTrue(train(folder, "one", "--batch-size", "1").contains(NOTHING));
  }

  @Test void twoPairsAndTheSigmoidLossAreNot(@TempDir Path folder) throws Exception {
    assertTrue(!train(folder, "two", "--batch-size", "1", "--accum-freq", "2").contains(NOTHING));
    assertTrue(!train(folder, "sigmoid", "--batch-size", "1", "--siglip").contains(NOTHING));
  }

  private static String train(Path folder, String name, String... more) throws Exception {
    var table = folder.resolve("pairs.csv");
    var rows = new StringBuilder("filepath,title\n");
    for (int i = 0; i < 2; i++) {
      ImageIO.write(new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB), "png", folder.resolve(i + ".png").toFile());
      rows.append(i).append(".png,picture ").append(i).append('\n');
    }
    Files.writeString(table, rows);
    var fixed = new String[] {"train", "--train-data", table.toString(), "--steps", "1", "--warmup", "0", "--logs",
        folder.toString(), "--name", name};
    var all = java.util.Arrays.copyOf(fixed, fixed.length + more.length);
    System.arraycopy(more, 0, all, fixed.length, more.length);
    var done = Launcher.run(all);
    assertEquals(0, done.status(), done.text());
    return done.text();
  }
}
