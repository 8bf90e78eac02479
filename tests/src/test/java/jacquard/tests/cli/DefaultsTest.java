package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a command chooses where nothing is asked for.
class DefaultsTest {
  @TempDir Path folder;

  /// AdamW's ε is OpenCLIP's: 1e-6 for a model with "vit" in its name, in capitals or not, 1e-8 for others.
  @Test void epsilonFollowsTheName() throws IOException {
    Launcher.pictures(folder.resolve("pictures"), 8);
    assertEquals(-1, unlike("tiny", "1e-8", "tiny", null));
    assertEquals(-1, unlike("a-ViT", "1e-6", "a-ViT", null));
    assertEquals(-1, unlike("a-vit", "1e-6", "a-ViT", "1e-6"));
    assertNotEquals(-1, unlike("tiny", "1e-8", "tiny", "1e-6"));
  }

  /// Where the weights of two runs differ; −1 if nowhere.
  private long unlike(String model, String epsilon, String other, String otherEpsilon) throws IOException {
    return Files.mismatch(weights(model, epsilon), weights(other, otherEpsilon));
  }

  private Path weights(String model, String epsilon) throws IOException {
    var config = Files.writeString(folder.resolve(model + ".json"), Launcher.CONFIG);
    var logs = Files.createTempDirectory(folder, "logs");
    var line = new ArrayList<>(List.of("train", "--model", config.toString(), "--train-data", folder.resolve("pictures").toString(), "--batch-size", "8", "--steps", "2", "--warmup", "1",
        "--device", "cpu", "--logs", logs.toString(), "--name", "run"));
    if (epsilon != null) line.addAll(List.of("--eps", epsilon));
    var ended = Launcher.run(line.toArray(String[]::new));
    assertEquals(0, ended.status(), ended.text());
    return logs.resolve("run/last/open_clip_model.safetensors");
  }
}
