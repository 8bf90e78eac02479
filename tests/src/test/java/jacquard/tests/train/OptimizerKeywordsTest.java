package jacquard.tests.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Clipping;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.clip.train.parameter.NamedRule;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tests.cli.Launcher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `--opt-kwargs`, beside what PyTorch and timm do with the same words (`train/keywords.py` recorded it).
class OptimizerKeywordsTest {
  /// Of single precision, and of Newton-Schulz steps and a momentum that were rounded to BF16 there.
  private static final double SINGLE = 4e-6, ROUNDED = 1e-4;

  public record Three(Tensor w, Tensor b, Tensor k) {}

  private static Optimizer.Rule rule(String name, List<String> words) {
    return NamedRule.of(name, new NamedRule.Usual(0.9, 0.98, 1e-6, 0.9), words, () -> _ -> false);
  }

  @Test void keywordsDoWhatTheyDoThere() throws IOException {
    JsonNode all;
    try (var in = OptimizerKeywordsTest.class.getResourceAsStream("/train/keywords.json")) {
      all = new ObjectMapper().readTree(in);
    }
    for (var c : all.get("cases")) {
      var name = c.get("opt").asText();
      var words = new ArrayList<String>();
      c.get("keywords").forEach(w -> words.add(w.asText()));
      double tolerance = name.endsWith("muon") || name.endsWith("bv") ? ROUNDED : SINGLE;
      assertEquals(0, worst(all, c.get("end"), rule(name, words)), tolerance, name + " " + words);
      assertTrue(worst(all, c.get("end"), rule(name, List.of())) > 2 * tolerance, name + " without " + words);
    }
    assertEquals(11, all.get("cases").size());
  }

  /// The largest difference of any number from the recorded end.
  private static double worst(JsonNode all, JsonNode end, Optimizer.Rule rule) {
    double worst = 0;
    try (var _ = Scope.open(Device.best())) {
      var shapes = all.get("shapes");
      var start = all.get("start");
      var three = new Three(tensor(shapes, start, "w"), tensor(shapes, start, "b"), tensor(shapes, start, "k"));
      var optimizer = new Optimizer(rule, Parameters.of(three), all.get("decay").asDouble(), path -> !path.equals("b"));
      for (var g : all.get("gradients")) {
        var gradients = new LinkedHashMap<String, Tensor>();
        for (var p : List.of("w", "b", "k")) gradients.put(p, tensor(shapes, g, p));
        float factor = Clipping.factor(Clipping.norm(gradients.values()), rule.limit());
        optimizer.step(gradients, all.get("rate").asDouble(), factor);
      }
      for (var p : List.of("w", "b", "k")) {
        float[] found = (p.equals("w") ? three.w : p.equals("b") ? three.b : three.k).floats(),
            expected = tensor(shapes, end, p).floats();
        for (int i = 0; i < found.length; i++) worst = Math.max(worst, Math.abs(found[i] - expected[i]));
      }
    }
    return worst;
  }

  private static Tensor tensor(JsonNode shapes, JsonNode values, String name) {
    int[] shape = new int[shapes.get(name).size()];
    for (int i = 0; i < shape.length; i++) shape[i] = shapes.get(name).get(i).asInt();
    float[] v = new float[values.get(name).size()];
    for (int i = 0; i < v.length; i++) v[i] = (float) values.get(name).get(i).asDouble();
    return Tensor.of(Shape.of(shape), v);
  }

  @Test void whatIsNotKnownIsRefusedByName() {
    refused("--opt-kwargs amsgrad=True: --opt adamw has no such keyword here, expected one of betas, eps", "adamw",
        "eps=1e-6", "amsgrad=True");
    refused("trust_clip=True: --opt timm/lion has no such keyword here, expected one of betas", "timm/lion",
        "trust_clip=True");
    refused("always_adapt, betas, eps, max_grad_norm, trust_clip", "timm/lamb", "caution=True");
    refused("--opt-kwargs betas=0.9, expected two numbers of 0 or more and less than 1, as (0.9,0.95)", "adamw",
        "betas=0.9");
    refused("--opt-kwargs betas=(0.9,1), expected two numbers", "adamw", "betas=(0.9,1)");
    refused("--opt-kwargs trust_clip=yes, expected True or False", "timm/lamb", "trust_clip=yes");
    refused("--opt-kwargs max_grad_norm=0, expected a number of more than 0, or None", "timm/lamb", "max_grad_norm=0");
    refused("--opt-kwargs min_dim_size_to_factor=1.5, expected a whole number above 0", "timm/adafactor",
        "min_dim_size_to_factor=1.5");
    for (var word : List.of("eps", "eps=", "=1", "eps=1=2"))
      refused("--opt-kwargs " + word + ", expected KEY=VALUE", "adamw", word);
  }

  private static void refused(String expected, String name, String... words) {
    var e = assertThrows(IllegalArgumentException.class, () -> rule(name, List.of(words)));
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }

  /// At the command line: words change the steps, and come back with a run that goes on.
  @Test void aTrainingTakesThem(@TempDir Path folder) throws IOException {
    var pictures = Launcher.pictures(folder.resolve("pictures"), 8);
    byte[][] ends = new byte[2][];
    for (int i = 0; i < 2; i++) {
      var line = new ArrayList<>(Arrays.asList(Launcher.train(folder, pictures, "r" + i, 3)));
      line.addAll(List.of("--opt", "timm/lamb"));
      if (i == 1) line.addAll(List.of("--opt-kwargs", "betas=(0.5,0.6)", "trust_clip=True"));
      var e = Launcher.run(line.toArray(String[]::new));
      assertEquals(0, e.status(), e.text());
      ends[i] = Files.readAllBytes(folder.resolve("runs/r" + i + "/last/open_clip_model.safetensors"));
    }
    assertFalse(Arrays.equals(ends[0], ends[1]));
    var on = Launcher.run("train", "--resume", folder.resolve("runs/r1").toString(), "--steps", "4");
    assertEquals(0, on.status(), on.text());
    Launcher.fails("no such keyword here, expected one of always_adapt, betas", "train", "--resume",
        folder.resolve("runs/r1").toString(), "--steps", "5", "--opt-kwargs", "foreach=False");
  }
}
