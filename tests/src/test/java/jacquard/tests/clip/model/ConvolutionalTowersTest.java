package jacquard.tests.clip.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import jacquard.autograd.Grad;
import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.timm.fastvit.FastVit;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tests.clip.Fixtures;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Towers of convolutions, where no recorded case shows them.
class ConvolutionalTowersTest {
  private static final String TEXT =
      "\"text_cfg\":{\"context_length\":16,\"vocab_size\":50,\"width\":16,\"heads\":2,\"layers\":1}}";

  /// One convolution in place of parallel ones gives the same features, and has the tensors that a config with
  /// `inference_mode` describes.
  @Test void reparameterisedTowersGiveTheSameFeatures() throws IOException {
    var config = ClipConfig.read(Fixtures.file("models/mobileclip2_s3/config.json"));
    try (var _ = Scope.open(Device.named("cpu"))) {
      var tower = (FastVit) Checkpoint.load(config, Fixtures.file("models/mobileclip2_s3/weights.safetensors"))
          .visual();
      var folded = tower.reparameterised();
      var images = images(2, new Grid(96, 96));
      float[] plain = tower.features(images).floats(), one = folded.features(images).floats();
      for (int i = 0; i < plain.length; i++) assertEquals(plain[i], one[i], 1e-5 * largest(plain), "feature " + i);
      var paths = Parameters.of(folded).all();
      assertFalse(paths.keySet().stream().anyMatch(p -> p.contains("conv_kxk") || p.contains("identity")
          || p.contains("pos_enc")), paths.keySet().toString());
      var described = ClipModel.describe(config.with("vision_cfg.timm_model_kwargs.inference_mode=true")).visual();
      assertEquals(shapes(described), shapes(folded));
      assertEquals(true, folded.config().timm().modelKwargs().get("inference_mode"));
      assertEquals(folded, folded.reparameterised());
    }
  }

  private static TreeMap<String, Shape> shapes(Object tower) {
    var r = new TreeMap<String, Shape>();
    Parameters.of(tower).all().forEach((p, t) -> r.put(p, t.shape()));
    return r;
  }

  /// The first groups of a tower keep their running statistics in training where asked, the others do not.
  @Test void batchNormsOfTheFirstGroupsCanBeFixed() throws IOException {
    var config = ClipConfig.read(Fixtures.file("models/mobileclip2_s3/config.json"));
    try (var _ = Scope.open(Device.named("cpu"))) {
      var all = ClipModel.create(config, 3).visual();
      var before = Parameters.of(all).all();
      float[] stem = before.get("trunk.stem.0.conv_kxk.0.bn.running_mean").floats(), last =
          before.get("trunk.final_conv.conv_kxk.0.bn.running_mean").floats();
      var tower = all.fixed(all.groups().size() - 1);
      Pass.training(Random.of(1))
          .call(() -> Grad.valueAndGrad(Parameters.of(tower), () -> tower.features(images(2, new Grid(96, 96))).sum()));
      assertTrue(Arrays.equals(stem, before.get("trunk.stem.0.conv_kxk.0.bn.running_mean").floats()));
      assertFalse(Arrays.equals(last, before.get("trunk.final_conv.conv_kxk.0.bn.running_mean").floats()));
    }
  }

  /// Beside timm's `tf_efficientnet_lite0` with the same weights, which are a formula's: most activations lie well
  /// between 0 and 6, a quarter each below and above.
  @Test void efficientNetIsTimms() throws IOException {
    JsonNode recorded;
    try (var in = ConvolutionalTowersTest.class.getResourceAsStream("/clip/efficientnet.json")) {
      recorded = Fixtures.JSON.readTree(in);
    }
    var config =
        ClipConfig.parse("{\"embed_dim\":1280,\"vision_cfg\":{\"timm_model_name\":\"tf_efficientnet_lite0\","
        + "\"timm_pool\":\"avg\","
        + "\"timm_proj\":\"none\",\"image_size\":[64,50]}," + TEXT);
    try (var _ = Scope.open(Device.named("cpu"))) {
      var model = ClipModel.create(config, 1);
      var tower = model.visual();
      var parameters = Parameters.of(tower);
      parameters.all().forEach((path, t) -> {
        if (t.dtype() != DType.I64)
          Checkpoint.put(t, tower.layout(path)
              .read(values(path.substring("trunk.".length()), tower.layout(path).shape(t.shape())), t.shape()));
      });
      var images = images(2, new Grid(64, 50));
      float[] features = tower.features(images).floats();
      var expected = recorded.get("features");
      for (int i = 0; i < expected.size(); i++)
        assertEquals(expected.get(i).asDouble(), features[i * 53], 1e-5 * recorded.get("largest").asDouble(),
            "feature " + i * 53);
      float[] c = new float[features.length];
      for (int i = 0; i < c.length; i++) c[i] = (float) (fraction(i, 11) - 0.5);
      var step = Grad.valueAndGrad(parameters, () -> tower.features(images).mul(Tensor.of(Shape.of(2, 1280), c)).sum());
      assertEquals(recorded.get("gradients").size(), step.gradients().size());
      step.gradients().forEach((path, t) -> {
        float[] g = tower.layout(path).write(t.floats(), t.shape());
        double squares = 0, along = 0;
        for (int i = 0; i < g.length; i++) {
          squares += (double) g[i] * g[i];
          along += g[i] * (fraction(i, 3) - 0.5);
        }
        var two = recorded.get("gradients").get(path.substring("trunk.".length()));
        assertEquals(two.get(0).asDouble(), Math.sqrt(squares), 1e-4 * two.get(0).asDouble(), path);
        assertEquals(two.get(1).asDouble(), along, 1e-4 * two.get(0).asDouble(), path);
      });
    }
  }

  /// The weights of a tensor, as they lie on disk: fractions of multiples of the golden ratio, scaled by what the
  /// tensor is.
  private static float[] values(String name, Shape s) {
    boolean linear = name.contains("bn3") || name.startsWith("blocks.0.0.bn2");
    float[] r = new float[(int) s.size()];
    for (int i = 0; i < r.length; i++) {
      double f = fraction(i, name.length());
      r[i] = (float) switch (name.substring(name.lastIndexOf('.') + 1)) {
        case "running_mean" -> (f - 0.5) * 0.2;
        case "running_var" -> 0.5 + f;
        case "bias" -> linear ? (f - 0.5) * 0.6 : new double[] {-4, 3, 3, 10}[(int) (f * 4)];
        default -> s.rank() < 4 ? (0.01 + 0.04 * f) * (linear ? 4 : 1)
            : (f - 0.5) * 2 * Math.sqrt(3)
            * Math.sqrt(2.0 / ((name.contains("conv_dw") ? 1 : s.dim(0)) * s.dim(2) * s.dim(3)));
      };
    }
    return r;
  }

  private static double fraction(int i, int salt) {
    double x = (i + 1.0) * (37 + salt) * 0.6180339887498949;
    return x - Math.floor(x);
  }

  private static ImageBatch images(int count, Grid grid) {
    float[] v = new float[count * 3 * grid.size()];
    for (int i = 0; i < v.length; i++) v[i] = (float) ((fraction(i, 5) - 0.5) * 3);
    return ImageBatch.ofChannelsFirst(v, count, grid);
  }

  private static double largest(float[] v) {
    double m = 0;
    for (float x : v) m = Math.max(m, Math.abs(x));
    return m;
  }

  /// What a family cannot do it says by name; what contradicts itself it refuses.
  @Test void optionsThatCannotBeHadAreNamed() {
    for (var c : List.of(List.of("convnext_base", "timm_pool=max", "timm_pool"),
        List.of("convnext_base", "timm_model_kwargs.use_grn=true", "use_grn"),
        List.of("swin_base_patch4_window7_224", "timm_model_kwargs.always_partition=true", "always_partition"),
        List.of("fastvit_mci1", "timm_model_kwargs.cls_ratio=3", "cls_ratio"),
        List.of("vit_base_mci_224", "timm_pool=avg", "timm_pool"),
        List.of("tf_efficientnet_lite0", "timm_model_kwargs.depth=3", "depth"))) {
      var pool = c.getFirst().startsWith("vit_") ? "token" : "avg";
      var base = ClipConfig.parse("{\"embed_dim\":32,\"vision_cfg\":{\"timm_model_name\":\"" + c.getFirst()
          + "\",\"timm_pool\":\"" + pool + "\"}," + TEXT);
      assertEquals("", base.unsupported().orElse(""), c.getFirst());
      assertTrue(base.with("vision_cfg." + c.get(1)).unsupported().orElse("").contains(c.get(2)), c.toString());
    }
  }
}
