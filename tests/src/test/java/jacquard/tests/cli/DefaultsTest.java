package jacquard.tests.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import jacquard.clip.checkpoint.safetensors.Safetensors;
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

  /// The sigmoid loss begins with the scale 10 and the bias −10 (a pair is most often no pair); one step at a rate of
  /// nearly nothing leaves both.
  @Test void sigmoidBeginsWithAScaleAndABias() throws IOException {
    var line =
        new ArrayList<>(List.of(Launcher.train(folder, Launcher.pictures(folder.resolve("pictures"), 8), "sigmoid",
        1)));
    line.set(line.indexOf("--warmup") + 1, "0");
    line.addAll(List.of("--siglip", "--lr", "1e-9"));
    var ended = Launcher.run(line.toArray(String[]::new));
    assertEquals(0, ended.status(), ended.text());
    try (var file = Safetensors.open(folder.resolve("runs/sigmoid/last/open_clip_model.safetensors"))) {
      assertEquals(Math.log(10), file.floats("logit_scale")[0], 1e-5);
      assertEquals(-10, file.floats("logit_bias")[0], 1e-5);
    }
  }

  /// Where the weights of two runs differ; −1 if nowhere.
  private long unlike(String model, String epsilon, String other, String otherEpsilon) throws IOException {
    return Files.mismatch(weights(model, epsilon), weights(other, otherEpsilon));
  }

  private Path weights(String model, String epsilon) throws IOException {
    var config = Files.writeString(folder.resolve(model + ".json"), Launcher.CONFIG);
    var logs = Files.createTempDirectory(folder, "logs");
    var line = new ArrayList<>(List.of("train", "--model", config.toString(), "--train-data",
        folder.resolve("pictures").toString(), "--batch-size", "8", "--steps", "2", "--warmup", "1",
        "--device", "cpu", "--logs", logs.toString(), "--name", "run"));
    if (epsilon != null) line.addAll(List.of("--eps", epsilon));
    var ended = Launcher.run(line.toArray(String[]::new));
    assertEquals(0, ended.status(), ended.text());
    return logs.resolve("run/last/open_clip_model.safetensors");
  }
}
