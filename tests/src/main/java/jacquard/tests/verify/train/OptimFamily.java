package jacquard.tests.verify.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.ClipModel;
import jacquard.clip.train.parameter.Rates;
import jacquard.tensor.Scope;
import jacquard.tensor.Tensor;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Measure;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// How OpenCLIP's optimizer groups the parameters of the recorded models, which lie beside this family's folder:
/// learning-rate factor and decay of each, under layer-wise decay and exclusions; and one step of AdamW so.
public final class OptimFamily implements Family {
  private static final double DECAY = 0.2;
  private static final Rates BOTH = new Rates(DECAY, 0.75, 0.6, List.of());
  /// The recorded sets of flags.
  private static final Map<String, Rates> FLAGS = Map.of("plain", Rates.decayed(DECAY), "text 0.7",
      new Rates(DECAY, 1, 0.7, List.of()), "image 0.8", new Rates(DECAY, 0.8, 1, List.of()),
      "both", BOTH, "both, pooler apart", new Rates(DECAY, 0.75, 0.6, List.of(), true), "exclude",
      new Rates(DECAY, 1, 1, List.of("*.bias", "visual.proj*", "*token_embedding*", "*attn.qkv*", "*in_proj*")));

  /// The recorded list of what another rule than Muon's changes.
  private static final List<String> FALLBACK = List.of("*embedding*", "*.proj", "text_projection", "visual.conv1*");

  @Override public String name() { return "optim"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    var all = new ObjectMapper().readTree(folder.resolve("groups.json").toFile());
    for (var e : all.properties()) {
      var name = "optim/" + e.getKey();
      var model = folder.resolveSibling("models").resolve(e.getKey());
      if (!Files.exists(model.resolve("config.json"))) {
        report.skipped(name, "its model is not recorded in " + model);
        continue;
      }
      var config = ClipConfig.read(model.resolve("config.json"));
      if (config.unsupported().isPresent()) { report.skipped(name, config.unsupported().get()); continue; }
      for (var f : e.getValue().get("flags").properties()) {
        var rates = f.getKey().equals("muon fallback") ? Rates.decayed(DECAY) : FLAGS.get(f.getKey());
        if (rates == null) report.skipped(name + " " + f.getKey(), "no such options yet");
        else if (f.getValue().has("refused"))
          report.skipped(name + " " + f.getKey(), "OpenCLIP refuses it: " + f.getValue().get("refused").asText());
        else try {
          report.check(name + " " + f.getKey(),
              groups(ClipModel.describe(config), rates, e.getValue().get("names"), f.getValue().get("groups")), 0);
        }
        catch (RuntimeException x) { report.failed(name + " " + f.getKey(), x); }
      }
      if (Files.exists(folder.resolve("step_" + e.getKey() + ".safetensors")))
        try { step(name, model, folder.resolve("step_" + e.getKey() + ".safetensors"), report);
            } catch (IOException | RuntimeException x) {
          report.failed(name + " step", x);
        }
    }
    if (Files.exists(folder.resolve("trajectories.json"))) Trajectories.verify(folder, report);
  }

  /// How many parameters have another rate or decay than recorded, or another rule where that is recorded.
  private static long groups(ClipModel model, Rates rates, JsonNode names, JsonNode groups) {
    var expected = new LinkedHashMap<String, Optimizer.Rate>();
    var fallback = new HashMap<String, Boolean>();
    for (var g : groups)
      for (var p : g.get("parameters")) {
        expected.put(names.get(p.asInt()).asText(),
            new Optimizer.Rate(g.path("lr_scale").asDouble(1), g.get("weight_decay").asDouble()));
        if (g.has("use_fallback")) fallback.put(names.get(p.asInt()).asText(), g.get("use_fallback").asBoolean());
      }
    var ours = rates.of(model);
    long wrong = 0;
    if (!fallback.isEmpty()) {
      var other = Rates.matching("--opt-fallback-list", FALLBACK, model);
      wrong = model.parameters().trained().keySet().stream()
          .filter(p -> other.test(p) != fallback.get(model.nameOf(p))).count();
    }
    for (var path : model.parameters().trained().keySet()) {
      var e = expected.remove(model.nameOf(path));
      var r = ours.apply(path);
      if (e != null && Math.abs(e.factor() - r.factor()) < 1e-12 && e.decay() == r.decay()) continue;
      wrong++;
      System.out.printf("        %s has %s, expected %s%n", path, r, e);
    }
    if (!expected.isEmpty()) System.out.println("        not among ours: " + expected.keySet());
    return wrong + expected.size();
  }

  /// The recorded gradients at a rate of 1e-3 under both decays.
  private static void step(String name, Path folder, Path after, Report report) throws IOException {
    try (var _ = Scope.open(Conformance.device()); var io = Safetensors.open(folder.resolve("io.safetensors"));
        var end = Safetensors.open(after)) {
      var model = Checkpoint.load(ClipConfig.read(folder.resolve("config.json")),
          folder.resolve("weights.safetensors"));
      var gradients = new LinkedHashMap<String, Tensor>();
      for (var e : model.parameters().trained().entrySet()) {
        var at = "grad." + model.nameOf(e.getKey());
        if (io.contains(at))
          gradients.put(e.getKey(),
              Tensor.of(e.getValue().shape(), model.layout(e.getKey()).read(io.floats(at), e.getValue().shape())));
      }
      new Optimizer(new Optimizer.AdamW(0.9, 0.98, 1e-6), model.parameters(), BOTH.of(model))
          .step(gradients, new Schedule.Constant(1e-3, 0).rate(0), 1);
      double worst = 0;
      for (var e : model.parameters().trained().entrySet()) {
        double d = Measure.difference(Checkpoint.toDisk(model, e.getKey(), e.getValue()),
            end.floats(model.nameOf(e.getKey())));
        worst = d <= worst ? worst : d;
      }
      report.check(name + " step", worst, 1e-6);
    }
  }
}
