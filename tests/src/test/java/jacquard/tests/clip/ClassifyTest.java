package jacquard.tests.clip;

import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.clip.Clip;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.tensor.Device;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ClassifyTest {
  /// Probabilities are the softmax of cosines times e^logit_scale, as the model was trained.
  @Test void probabilitiesAreOfScaledCosines() throws IOException {
    var folder = Fixtures.file("checkpoints/hub/open_clip_config.json").getParent();
    double scale;
    try (var file = Safetensors.open(folder.resolve("open_clip_model.safetensors"))) {
      scale = Math.exp(file.floats("logit_scale")[0]);
    }
    double[] cosines = {0.9, 0.8, 0.5};
    float[] image = new float[48];
    image[0] = 1;
    float[][] texts = new float[3][48];
    for (int j = 0; j < 3; j++) {
      texts[j][0] = (float) cosines[j];
      texts[j][1] = (float) Math.sqrt(1 - cosines[j] * cosines[j]);
    }
    try (var clip = Clip.load(folder, Device.named("cpu"))) {
      float[] found = clip.classify(new float[][] {image}, texts)[0];
      double sum = Arrays.stream(cosines).map(c -> Math.exp(scale * c)).sum();
      for (int j = 0; j < 3; j++) assertEquals(Math.exp(scale * cosines[j]) / sum, found[j], 1e-5);
    }
  }
}
