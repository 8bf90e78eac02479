package jacquard.tests.verify;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Clipping;
import jacquard.autograd.Grad;
import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.Safetensors;
import jacquard.clip.loss.ContrastiveLoss;
import jacquard.tensor.Device;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.op.Update;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;

/// Contrastive losses with their gradients, and optimiser trajectories. The values were computed in double; ours in single.
public final class LossesFamily implements Family {
  @Override public String name() { return "losses"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    try (var io = Safetensors.open(folder.resolve("losses.safetensors")); var scope = Scope.open(Device.best())) {
      for (var n : io.names()) {
        if (!n.endsWith(".image") || n.startsWith("distill")) continue;
        var key = n.substring(0, n.length() - ".image".length());
        try { contrastive(io, key, report); } catch (IOException | RuntimeException e) { report.failed("losses/" + key, e); }
      }
      adamw(io, "adamw", new double[] {3e-3, 0.9, 0.98, 1e-6}, 0.2, 0, report);
      adamw(io, "adamw_default", new double[] {1e-3, 0.9, 0.999, 1e-8}, 0.05, 0.05, report);
      clip(io, report);
      schedules(folder, report);
      for (var o : List.of("opt.nadamw", "opt.sgd_momentum", "distill", "pos", "textpos")) report.skipped("losses/" + o, "not built yet");
    }
  }

  private static Tensor tensor(Safetensors io, String name) throws IOException { return Tensor.of(Shape.of(io.shape(name)), io.floats(name)); }

  private static void contrastive(Safetensors io, String key, Report report) throws IOException {
    boolean softmax = key.startsWith("softmax");
    var in = List.of(tensor(io, key + ".image"), tensor(io, key + ".text"), tensor(io, key + ".log_scale"), tensor(io, key + ".bias"));
    var r = Grad.vjp(in, t -> List.of(softmax ? ContrastiveLoss.softmax(t.get(0), t.get(1), t.get(2).exp(), null)
        : ContrastiveLoss.sigmoid(t.get(0), t.get(1), t.get(2).exp(), t.get(3), null)), y -> List.of(Tensor.scalar(1)));
    report.check("losses/" + key + " loss", Measure.error(r.values().getFirst().floats(), io.floats(key + ".loss")), 2e-6);
    var names = List.of("image", "text", "log_scale", "bias");
    for (int i = 0; i < 4; i++) {
      var n = key + ".d_" + names.get(i);
      if (io.names().contains(n)) report.check("losses/" + n, Measure.error(r.gradients().get(i).floats(), io.floats(n)), 2e-6);
    }
  }

  private static void adamw(Safetensors io, String name, double[] h, double decayW, double decayB, Report report) throws IOException {
    double worst = 0;
    for (var part : List.of("w", "b")) {
      var key = "opt." + name + ".";
      Tensor p = tensor(io, key + part + 0), m = Tensor.zeros(p.shape()), v = Tensor.zeros(p.shape());
      for (int i = 0; i < 12; i++) {
        Tensor.applyAll(new Update.AdamW(h[0], h[1], h[2], h[3], part.equals("w") ? decayW : decayB, i + 1, 1), List.of(p, m, v, tensor(io, key + "g" + part + i)));
        double d = Measure.difference(p.floats(), io.floats(key + part + (i + 1)));
        worst = d <= worst ? worst : d;
      }
    }
    report.check("losses/opt." + name, worst, 3e-6);
  }

  private static void clip(Safetensors io, Report report) throws IOException {
    var g = List.of(tensor(io, "clip.g0"), tensor(io, "clip.g1"));
    double norm = Clipping.norm(g), expected = io.doubles("clip.norm")[0];
    float factor = Clipping.factor(norm, 1.0);
    double d = Math.abs(norm - expected) / expected;
    for (int i = 0; i < 2; i++) d = Math.max(d, Measure.error(g.get(i).mul(factor).floats(), io.floats("clip.c" + i)));
    report.check("losses/clip", d, 2e-6);
  }

  private static void schedules(Path folder, Report report) throws IOException {
    var all = new ObjectMapper().readTree(folder.resolve("schedules.json").toFile());
    for (var e : all.properties()) {
      var words = e.getKey().split(" ");
      var h = new HashMap<String, Double>();
      for (int i = 1; i + 1 < words.length; i += 2) h.put(words[i], Double.parseDouble(words[i + 1]));
      long warmup = h.get("warmup").longValue(), steps = h.get("steps").longValue();
      var schedule = switch (words[0]) {
        case "cosine" -> new Schedule.Cosine(h.get("base"), warmup, steps);
        case "const" -> new Schedule.Constant(h.get("base"), warmup);
        case "const-cooldown" -> new Schedule.Cooldown(h.get("base"), warmup, steps, h.get("cooldown").longValue(), h.get("power"), h.get("end"));
        default -> throw new IOException("schedule " + e.getKey());
      };
      double d = 0;
      for (int i = 0; i < e.getValue().size(); i++) d = Math.max(d, Math.abs(schedule.rate(i) - e.getValue().get(i).asDouble()));
      report.check("losses/schedule " + e.getKey(), d, 1e-12);
    }
  }
}
