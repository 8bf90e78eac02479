package jacquard.tests.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.eval.Advance;
import jacquard.clip.eval.Embedder;
import jacquard.clip.eval.Templates;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.HubConfig;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class TemplatesTest {
  /// SHA-256 of OpenCLIP's OPENAI_IMAGENET_TEMPLATES (3.3.0 and 4.2 have the same), joined by line feeds, `{}` for the
  /// label.
  private static final String RECORDED = "4f976686fb651bb5803d4689dcd849f75efe0ef19a3c801355bc9a6f03c8a5af";

  @Test void theEightyAreOpenClips() throws Exception {
    var texts = Templates.of(List.of("openai_imagenet")).texts();
    assertEquals(80, texts.size());
    assertEquals(RECORDED, HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256")
        .digest(String.join("\n", texts).getBytes(StandardCharsets.UTF_8))));
    var simple = Templates.of(List.of("simple_imagenet", "{}")).texts();
    assertEquals(8, simple.size());
    assertTrue(texts.containsAll(simple.subList(0, 7)));
  }

  @Test void aTemplateNeedsItsPlace() {
    var e = assertThrows(IllegalArgumentException.class, () -> Templates.of(List.of("a photo")));
    assertTrue(e.getMessage().contains("a photo") && e.getMessage().contains("openai_imagenet"), e.getMessage());
    e = assertThrows(IllegalArgumentException.class, () -> Templates.of(List.of("openai_imagnet")));
    assertTrue(e.getMessage().endsWith("Did you mean openai_imagenet?"), e.getMessage());
  }

  /// The mean of the normalised features of each label's sentences, normalised; however the sentences fall into
  /// batches. Means of 80 floats: √80·ε = 1e-6.
  @Test void ensembledAsOpenClipDoes() {
    var config = ClipConfig.parse("""
        {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
         "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2}}""");
    try (var _ = Scope.open(Device.best())) {
      var model = ClipModel.create(config, 1);
      var templates = Templates.of(List.of("openai_imagenet"));
      var labels = List.of("cat", "dog", "a very long name of a thing");
      float[][] found = new Embedder(model, new Transform(HubConfig.preprocess(config)), 170)
          .labels(labels, templates, Advance.UNHEARD);
      for (int l = 0; l < labels.size(); l++) {
        double[] mean = new double[16];
        for (var text : templates.of(labels.get(l))) {
          float[] f = new Embedder(model, new Transform(HubConfig.preprocess(config)), 1)
              .texts(List.of(text), Advance.UNHEARD)[0];
          for (int k = 0; k < 16; k++) mean[k] += f[k] / 80.0;
        }
        double norm = Math.sqrt(java.util.Arrays.stream(mean).map(v -> v * v).sum());
        for (int k = 0; k < 16; k++) assertEquals(mean[k] / norm, found[l][k], 1e-6 / norm);
      }
    }
  }
}
