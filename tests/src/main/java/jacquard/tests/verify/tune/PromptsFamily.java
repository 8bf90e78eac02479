package jacquard.tests.verify.tune;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Grad;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.loss.SoftmaxLoss;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.model.text.TextTransformer;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.clip.nn.Linear;
import jacquard.clip.tune.prompt.Captions;
import jacquard.clip.tune.prompt.Conditional;
import jacquard.clip.tune.prompt.Context;
import jacquard.clip.tune.prompt.Linked;
import jacquard.clip.tune.prompt.Prompt;
import jacquard.tensor.Grid;
import jacquard.tensor.Pass;
import jacquard.tensor.Random;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Measure;
import jacquard.tests.verify.Report;
import jacquard.tests.verify.model.ModelsFamily;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// CoOp with its positions and names' own vectors, CoCoOp and MaPLe as their authors' code trained them: logits, the
/// first
/// gradient, five steps. A prompt that is there and not used leaves the model as it is, to the bit.
public final class PromptsFamily implements Family {
  private static final double LOGITS = 1e-5, END = 2e-5, LOSS = 1e-5, GRADIENT = 1e-4;

  @Override public String name() { return "tuning/prompts"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    try (var _ = Scope.open(Conformance.device()); var values =
        Safetensors.open(folder.resolve("values.safetensors"))) {
      var model = Checkpoint.load(ClipConfig.read(folder.resolve("config.json")),
          folder.resolve("weights.safetensors"));
      int[] s = values.shape("images");
      var images = ImageBatch.ofChannelsFirst(values.floats("images"), s[0], new Grid(s[2], s[3]));
      var json = new ObjectMapper().readTree(folder.resolve("values.json").toFile());
      new Cases(model, values, json, images, report).verify();
    }
  }

  private record Cases(ClipModel model, Safetensors values, JsonNode json, ImageBatch images, Report report) {
    void verify() throws IOException {
      int[] initial = new int[json.get("init_tokens").size()];
      for (int i = 0; i < initial.length; i++) initial[i] = json.get("init_tokens").get(i).asInt();
      var text = (TextTransformer) model.text();
      var words = text.embedding().weight().gather(initial).copy();
      var captions = captions("prompt_tokens", initial.length);
      float[] before = model.text().features(captions.ids()).floats();
      for (var position : Captions.Position.values()) {
        var name = position.name().toLowerCase();
        check("coop." + name + " logits", new Context(words, position), captions, "coop." + name + ".logits");
      }
      steps("coop", new Context(start("coop", "ctx"), Captions.Position.END), captions, 0.02);
      steps("coop.csc", new Context(start("coop.csc", "ctx"), Captions.Position.END),
          captions("coop.csc.prompt_tokens", values.shape("coop.csc.start.ctx")[1]), 0.02);
      steps("cocoop", new Conditional(start("cocoop", "ctx"), new Conditional.Net(linear("cocoop", "meta_net.linear1"),
          linear("cocoop", "meta_net.linear2"))), captions, 0.02);
      var deep = new ArrayList<Tensor>();
      var projections = new ArrayList<Linear>();
      for (int i = 0; values.contains("maple.start.compound_prompts_text." + i); i++) {
        deep.add(start("maple", "compound_prompts_text." + i));
        projections.add(linear("maple", "compound_prompt_projections." + i));
      }
      var ctx = start("maple", "ctx");
      steps("maple", new Linked(ctx, linear("maple", "proj"), List.copyOf(deep), List.copyOf(projections)),
          captions("maple.prompt_tokens", ctx.dim(0)), 0.0035);
      report.check("tuning/prompts the base stays to the bit",
          Arrays.equals(before, model.text().features(captions.ids()).floats()), "other features");
    }

    private Captions captions(String tokens, int vectors) throws IOException {
      int[] lengths = new int[json.get("name_tokens").size()];
      for (int i = 0; i < lengths.length; i++) lengths[i] = json.get("name_tokens").get(i).size();
      return new Captions(ModelsFamily.tokens(values, tokens), lengths, vectors);
    }

    private Tensor start(String key, String name) throws IOException {
      var at = key + ".start." + name;
      return Tensor.of(Shape.of(values.shape(at)), values.floats(at));
    }

    private Linear linear(String key, String name) throws IOException {
      return new Linear.Dense(start(key, name + ".weight"), start(key, name + ".bias"));
    }

    private void check(String name, Prompt prompt, Captions captions, String recorded) throws IOException {
      report.check("tuning/prompts " + name, Measure.error(prompt.logits(model, images, captions).logits().floats(),
          values.floats(recorded)), LOGITS);
    }

    private void steps(String key, Prompt prompt, Captions captions, double rate) throws IOException {
      var parameters = Parameters.of(prompt);
      var optimizer = new Optimizer(new Optimizer.Sgd(0.9, false), parameters, _ -> new Optimizer.Rate(1, 5e-4));
      long[] labels = values.longs("labels");
      int names = captions.ids().length;
      float[] right = new float[labels.length * names];
      for (int i = 0; i < labels.length; i++) right[i * names + (int) labels[i]] = 1;
      var chosen = Tensor.of(Shape.of(labels.length, names), right);
      var losses = json.get(key + ".losses");
      double worst = 0;
      for (int step = 0; step < losses.size(); step++) {
        var r = Pass.training(Random.of(step)).call(() -> Grad.valueAndGrad(parameters, () ->
            SoftmaxLoss.of(prompt.logits(model, images, captions).logits(), chosen)));
        double expected = losses.get(step).asDouble();
        worst = Math.max(worst, Math.abs(r.value().item() - expected) / expected);
        if (step == 0) {
          report.check("tuning/prompts " + key + " parameters", r.gradients().keySet().stream().allMatch(p ->
              values.contains(key + ".grad." + p)) && recorded(key) == r.gradients().size(), r.gradients().keySet()
              .toString());
          report.check("tuning/prompts " + key + " first gradient", distance(key + ".grad.", r.gradients()), GRADIENT);
        }
        optimizer.step(r.gradients(), rate, 1);
      }
      report.check("tuning/prompts " + key + " losses", worst, LOSS);
      report.check("tuning/prompts " + key + " end", distance(key + ".end.", parameters.all()), END);
      check(key + " logits at the end", prompt, captions, key + ".end_logits");
    }

    private long recorded(String key) {
      return values.names().stream().filter(n -> n.startsWith(key + ".grad.")).count();
    }

    private double distance(String prefix, Map<String, Tensor> found) throws IOException {
      double worst = 0;
      for (var e : found.entrySet()) {
        double error = Measure.error(e.getValue().floats(), values.floats(prefix + e.getKey()));
        if (!(error <= worst)) worst = error;
      }
      return worst;
    }
  }
}
