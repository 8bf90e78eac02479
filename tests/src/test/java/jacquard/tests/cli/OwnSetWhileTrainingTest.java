package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A set of the user's own, by its folder, measured while a model is trained.
class OwnSetWhileTrainingTest {
  @Test void measured(@TempDir Path folder) throws IOException {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 8);
    var own = folder.resolve("my-set");
    for (int i = 0; i < 2; i++)
      Files.copy(pictures.resolve("p%02d.png".formatted(i)),
          Files.createDirectories(own.resolve("test/colour " + i)).resolve("0.png"));
    Files.writeString(own.resolve("classnames.txt"), "colour 0\ncolour 1\n");
    Files.writeString(own.resolve("zeroshot_classification_templates.txt"), "{c}\n");
    var all = new ArrayList<>(List.of(Launcher.train(folder, pictures, "run", 3)));
    all.addAll(List.of("--zeroshot-frequency", "1", "--zeroshot-dataset", own.toString()));
    var e = Launcher.run(all.toArray(String[]::new));
    assertEquals(0, e.status(), e.text());
    var log = Files.readString(folder.resolve("runs/run/metrics.jsonl"));
    assertTrue(log.contains("my-set-zeroshot/top1"), log);
    Launcher.fails("is no data set that is known", "train", "--zeroshot-dataset", folder.resolve("none").toString(),
        "--steps", "1", "--warmup", "0");
  }
}
