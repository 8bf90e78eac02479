package jacquard.tests;

import jacquard.autograd.Clipping;
import jacquard.autograd.Grad;
import jacquard.autograd.Optimizer;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Contrastive;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/// A few steps of training of models as small as they come, for their bits.
final class Training {
  private static final String TEXT =
      "\"text_cfg\": {\"context_length\": 8, \"vocab_size\": 64, \"width\": 16, \"heads\": 2, \"layers\": 1}";
  private static final Map<String, String> MODELS = Map.of(
      "vit", "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": 2, \"width\": 24, \"head_width\": "
      + "12, \"patch_size\": 8, \"patch_dropout\": 0.25}, " + TEXT + "}",
      "resnet", "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": [1, 1, 1, 1], \"width\": 4, "
      + "\"head_width\": 8}, " + TEXT + "}");
  private static final int BATCH = 5, STEPS = 2;

  private Training() {}

  /// Name of model and step → digest of all parameters and buffers after it.
  static Map<String, Long> digests(Device device) {
    var r = new LinkedHashMap<String, Long>();
    MODELS.keySet().stream().sorted().forEach(name -> {
      try (var _ = Scope.open(device)) { train(name, ClipModel.create(ClipConfig.parse(MODELS.get(name)), 3), r); }
    });
    return r;
  }

  private static void train(String name, ClipModel model, Map<String, Long> digests) {
    var parameters = model.parameters();
    var optimizer = new Optimizer(new Optimizer.AdamW(0.9, 0.98, 1e-6), parameters, 0.2, model.decayed());
    for (int step = 0; step < STEPS; step++) {
      var key = Random.of(11).fold(step);
      float[] pixels = new float[BATCH * 3 * 32 * 32];
      for (int i = 0; i < pixels.length; i++) pixels[i] = (float) key.normal(i);
      int[][] tokens = new int[BATCH][8];
      for (int i = 0; i < BATCH; i++)
        for (int k = 0; k <= 2 + i; k++) tokens[i][k] = k == 2 + i ? 63 : 1 + key.fold("text").below(i * 8 + k, 60);
      try (var _ = Scope.open()) {
        var images = ImageBatch.ofChannelsFirst(pixels, BATCH, new Grid(32, 32));
        var result = Pass.training(key).call(() -> Grad.valueAndGrad(parameters,
            () -> Tensor.apply(new Contrastive.Softmax(4, false, false), model.embedImages(images),
            model.embedTexts(tokens), model.scale())));
        optimizer.step(result.gradients(), 1e-2,
            Clipping.factor(Clipping.norm(List.copyOf(result.gradients().values())), 1));
        var crc = new CRC32C();
        parameters.all().values().forEach(p -> Digests.update(crc, p.read()));
        digests.put(name + " step " + step, crc.getValue());
      }
    }
  }
}
