package jacquard.tests.clip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import jacquard.clip.image.Pixels;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.Transform;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.tensor.DType;
import jacquard.tensor.Device;
import jacquard.tensor.Grid;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tensor.op.Fused;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.TestAbortedException;

/// Images of 8-bit samples, normalised on the device.
class SamplesTest {
  private static final String TEXT =
      "\"text_cfg\": {\"context_length\": 8, \"vocab_size\": 100, \"width\": 16, \"heads\": 2, \"layers\": 1}}";
  private static final String VIT =
      "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 28, \"layers\": 1, \"width\": 16, \"head_width\": 8, "
      + "\"patch_size\": 9}, " + TEXT;
  private static final String RESNET =
      "{\"embed_dim\": 16, \"vision_cfg\": {\"image_size\": 32, \"layers\": [1, 1, 1, 1], \"width\": 8}, " + TEXT;

  private static Device device(String name) {
    var why = Device.unavailable().get(name);
    if (why != null) throw new TestAbortedException("no CUDA device: " + why);
    return Device.named(name);
  }

  private static byte[] samples(int n) {
    byte[] r = new byte[n];
    new Random(3).nextBytes(r);
    return r;
  }

  /// Each of the 256 levels of each channel: the bits that the transform gives on the host.
  @ParameterizedTest @ValueSource(strings = {"cpu", "cuda"}) void theBitsOfTheTransform(String name) {
    byte[] all = new byte[256 * 3];
    for (int i = 0; i < all.length; i++) all[i] = (byte) (i / 3);
    var config = PreprocessConfig.ofSize(16);
    try (var _ = Scope.open(device(name))) {
      var x = Tensor.ofArray(new Type(DType.U8, Shape.of(256, 3)), all);
      assertArrayEquals(new Transform(config).rows(new Pixels(16, 16, all)),
          Tensor.apply(new Fused.Patches(new Grid(16, 16), 1, config.mean(), config.std()), x).floats());
    }
  }

  /// A ViT multiplies rows of patches where it convolved pixels, so that sums of 243 products may round otherwise,
  /// which a layer and its norms carry on; features have the length 1. A ResNet convolves the same pixels.
  @ParameterizedTest @ValueSource(strings = {"cpu", "cuda"}) void theFeaturesOfFloats(String name) {
    for (var json : new String[] {VIT, RESNET})
      try (var _ = Scope.open(device(name))) {
        var config = ClipConfig.parse(json);
        var model = ClipModel.create(config, 1);
        var grid = config.vision().input();
        byte[] bytes = samples(2 * grid.size() * 3);
        var transform = new Transform(PreprocessConfig.ofSize(grid.width()));
        float[] floats = transform.rows(new Pixels(grid.width(), 2 * grid.height(), bytes));
        float[] expected = model.embedImages(ImageBatch.of(floats, 2, grid)).floats();
        float[] found = model.embedImages(ImageBatch.ofSamples(bytes, 2, grid, transform.config().mean(),
            transform.config().std())).floats();
        if (json.equals(RESNET)) assertArrayEquals(expected, found);
        else
          for (int i = 0; i < expected.length; i++) assertEquals(expected[i], found[i], 243 * 0x1p-24, "feature " + i);
      }
  }

  @Test void aRemainderOfTheGridIsNotRead() {
    try (var _ = Scope.open(Device.named("cpu"))) {
      var x = Tensor.ofArray(new Type(DType.U8, Shape.of(5 * 5, 1)), samples(25));
      assertEquals(Shape.of(4, 4),
          Tensor.apply(new Fused.Patches(new Grid(5, 5), 2, java.util.List.of(0f), java.util.List.of(1f)), x).shape());
    }
  }
}
