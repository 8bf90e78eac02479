package jacquard.tests.verify.input;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.image.Interpolation;
import jacquard.clip.image.Pixels;
import jacquard.clip.image.augment.Canvas;
import jacquard.clip.image.augment.policy.AugMix;
import jacquard.clip.image.augment.policy.Timm;
import jacquard.clip.image.augment.policy.Torchvision;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Report;
import jacquard.tests.verify.Tensors;
import jacquard.tests.verify.Tensors.Recorded;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import java.util.SplittableRandom;

/// What torchvision and timm make of one picture by every operation of their policies, at several strengths; the
/// strengths themselves; and a mixture. All equal.
public final class AugmentFamily implements Family {
  private static final Timm.Strength STRENGTH = new Timm.Strength(0, 10, 32, .45);

  @Override public String name() { return "tuning/augment"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    var recorded = Tensors.read(folder.resolve("values.safetensors"));
    var meta = new ObjectMapper().readTree(folder.resolve("values.json").toFile());
    var cases = new Cases(recorded, report);
    for (var e : meta.properties()) {
      var name = name() + "/" + e.getKey();
      try {
        switch (e.getKey().split("\\.")[0] + (e.getKey().equals("timm.augmix") ? ".augmix" : "")) {
          case "torchvision" -> cases.torchvision(name, e.getKey(), e.getValue());
          case "timm" -> cases.timm(name, e.getKey(), e.getValue());
          case "timm.augmix" -> cases.mixed(name, e.getValue());
          default -> tables(name, e.getValue(), report);
        }
      } catch (RuntimeException x) { report.failed(name, x); }
    }
  }

  private static Canvas canvas(JsonNode what) {
    var how = what.get("interpolation").asText();
    var fill = what.get("fill");
    var colour = new ArrayList<Integer>();
    for (int c = 0; c < 3; c++) colour.add(fill.isArray() ? fill.get(c).asInt() : fill.asInt());
    return new Canvas(how.isEmpty() ? Interpolation.NEAREST : Interpolation.named(how), colour);
  }

  /// The bins of the recorded tables, for pictures of 224 × 224.
  private static void tables(String name, JsonNode tables, Report report) {
    int wrong = 0;
    for (var e : tables.get("torchvision.randaugment").properties()) wrong += unlike(e.getKey(), e.getValue(), false);
    for (var e : tables.get("torchvision.trivialaugment_wide").properties())
      wrong += unlike(e.getKey(), e.getValue(), true);
    var auto = tables.get("torchvision.autoaugment_10_bins_at_224");
    for (var e : auto.properties())
      for (int i = 0; i < e.getValue().size() && e.getValue().size() > 1; i++)
        if (e.getValue().get(i).asDouble() != Torchvision.magnitude(e.getKey(), i, 10, 224, 224)) wrong++;
    report.check(name, wrong, 0);
  }

  private static int unlike(String operation, JsonNode row, boolean wide) {
    var bins = row.get(0);
    int wrong = row.get(1).asBoolean() == Torchvision.signed(operation) ? 0 : 1;
    for (int i = 0; i < bins.size() && bins.size() > 1; i++) {
      double ours = wide ? Torchvision.wide(operation, i, bins.size())
          : Torchvision.magnitude(operation, i, bins.size(), 224, 224);
      if (ours != bins.get(i).asDouble()) wrong++;
    }
    return wrong;
  }

  private record Cases(Map<String, Recorded> recorded, Report report) {
    /// What draws where nothing is drawn.
    private static SplittableRandom any() { return new SplittableRandom(1); }

    Pixels image() { return pixels("image"); }

    private Pixels pixels(String name) {
      var t = recorded.get(name);
      return new Pixels(t.shape()[1], t.shape()[0], t.bytes());
    }

    void torchvision(String name, String key, JsonNode what) {
      var words = key.split("\\.");
      var operation = words[words[1].equals("wide") ? 2 : 1];
      equal(name, key, Torchvision.apply(operation, image(), what.get("magnitude").asDouble(), canvas(what)));
    }

    /// The level gives the argument, and the argument the picture.
    void timm(String name, String key, JsonNode what) {
      var words = key.split("\\.");
      double sign = words[3].equals("-") ? -1 : 1, level = Double.parseDouble(words[2]);
      double argument = Timm.argument(words[1], level, sign, STRENGTH);
      if (!what.get("args").isEmpty() && argument != what.get("args").get(0).asDouble()) {
        report.check(name, false, "argument " + argument + ", expected " + what.get("args"));
        return;
      }
      if (what.has("error")) {                                   // 0 bits, which Pillow 13 refuses: black
        var found = Timm.apply(words[1], image(), argument, Canvas.black(Interpolation.NEAREST), any());
        report.check(name, found.equals(Pixels.filled(image().width(), image().height(), 0)), "not black");
        return;
      }
      equal(name, key, Timm.apply(words[1], image(), argument, canvas(what), any()));
    }

    void mixed(String name, JsonNode what) {
      var canvas = canvas(what);
      double level = what.get("level").asDouble();
      var chains = new ArrayList<Pixels>();
      for (var chain : what.get("chains")) {
        var image = image();
        for (var o : chain)
          image = Timm.apply(o.asText(), image, Timm.argument(o.asText(), level, 1, STRENGTH), canvas, any());
        chains.add(image);
      }
      float[] weights = new float[chains.size()];
      for (int i = 0; i < weights.length; i++) weights[i] = (float) what.get("weights").get(i).asDouble();
      equal(name, "timm.augmix", AugMix.mixed(image(), chains, weights, (float) what.get("m").asDouble()));
    }

    private void equal(String name, String key, Pixels found) {
      var expected = pixels(key);
      int differing = 0;
      for (int i = 0; i < expected.rgb().length; i++) if (expected.rgb()[i] != found.rgb()[i]) differing++;
      report.check(name, differing == 0 && found.width() == expected.width(),
          differing + " of " + expected.rgb().length + " samples differ");
    }
  }
}
