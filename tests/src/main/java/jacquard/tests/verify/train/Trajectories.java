package jacquard.tests.verify.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Clipping;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Parameters;
import jacquard.autograd.optimizer.Adafactor;
import jacquard.autograd.optimizer.Lamb;
import jacquard.autograd.optimizer.Lion;
import jacquard.autograd.optimizer.Lookahead;
import jacquard.autograd.optimizer.Muon;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Measure;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Five steps of a matrix, a vector and a kernel under each recorded optimizer. Recorded in double; ours in single
/// precision, which the recording's own optimizers follow to 1e-6; Muon's steps and big_vision's momentum were rounded
/// to BF16 there.
final class Trajectories {
  private static final int STEPS = 5;
  private static final double SINGLE = 2e-6, ROUNDED = 1e-4;

  /// @param w a matrix
  /// @param b a vector, which does not decay
  /// @param k a kernel
  public record Three(Tensor w, Tensor b, Tensor k) {}

  private Trajectories() {}

  static void verify(Path folder, Report report) throws IOException {
    var all = new ObjectMapper().readTree(folder.resolve("trajectories.json").toFile()).get("optimisers");
    try (var io = Safetensors.open(folder.resolve("trajectories.safetensors"))) {
      for (var e : all.properties()) {
        var name = "optim/trajectory " + e.getKey();
        var settings = e.getValue().get("group_settings").get(0);
        var rule = rule(e.getValue().get("opt").asText(), settings);
        if (rule == null) report.skipped(name, "not built in");
        else
          try { report.check(name, worst(e.getKey(), rule, settings, io), rounded(rule) ? ROUNDED : SINGLE); }
          catch (IOException | RuntimeException x) { report.failed(name, x); }
      }
    }
  }

  private static boolean rounded(Optimizer.Rule rule) {
    return rule instanceof Muon || rule instanceof Adafactor a && a.momentum() > 0;
  }

  /// Null where there is none.
  private static Optimizer.Rule rule(String name, JsonNode s) {
    double b1 = s.path("betas").path(0).asDouble(), b2 = s.path("betas").path(1).asDouble();
    double epsilon = s.path("eps").asDouble(), momentum = s.path("momentum").asDouble();
    return switch (name) {
      case "adamw", "timm/adamw" -> new Optimizer.AdamW(b1, b2, epsilon);
      case "nadamw" -> new Optimizer.NAdamW(b1, b2, epsilon, 4e-3);
      case "timm/nadamw" -> new Lookahead(b1, b2, epsilon);
      case "timm/lamb" -> new Lamb(b1, b2, epsilon);
      case "timm/lion" -> new Lion(b1, b2);
      case "timm/adafactor" -> Adafactor.TIMM;
      case "timm/adafactorbv" -> Adafactor.bigVision(momentum);
      case "timm/muon" -> new Muon(momentum, false, new Optimizer.AdamW(b1, b2, epsilon), _ -> false);
      case "timm/nmuon" -> new Muon(momentum, true, new Lookahead(b1, b2, epsilon), _ -> false);
      default -> null;
    };
  }

  private static double worst(String name, Optimizer.Rule rule, JsonNode settings, Safetensors io) throws IOException {
    double rate = settings.get("lr").asDouble(), decay = settings.get("weight_decay").asDouble(), worst = 0;
    try (var _ = Scope.open(Conformance.device())) {
      var three = new Three(tensor(io, name + ".w0"), tensor(io, name + ".b0"), tensor(io, name + ".k0"));
      var optimizer = new Optimizer(rule, Parameters.of(three), decay, path -> !path.equals("b"));
      for (int i = 0; i < STEPS; i++) {
        var gradients = new LinkedHashMap<String, Tensor>();
        for (var p : List.of("w", "b", "k")) gradients.put(p, tensor(io, name + ".g" + p + i));
        float factor = Clipping.factor(Clipping.norm(gradients.values()), rule.limit());
        optimizer.step(gradients, rate, factor);
        for (var e : Map.of("w", three.w, "b", three.b, "k", three.k).entrySet()) {
          double d = Measure.difference(e.getValue().floats(), io.floats(name + "." + e.getKey() + (i + 1)));
          worst = d <= worst ? worst : d;
        }
      }
    }
    return worst;
  }

  private static Tensor tensor(Safetensors io, String name) throws IOException {
    return Tensor.of(Shape.of(io.shape(name)), io.floats(name));
  }
}
