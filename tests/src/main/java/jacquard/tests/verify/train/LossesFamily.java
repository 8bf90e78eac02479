package jacquard.tests.verify.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Clipping;
import jacquard.autograd.Grad;
import jacquard.autograd.Optimizer;
import jacquard.autograd.Schedule;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.loss.ContrastiveLoss;
import jacquard.clip.loss.DistillLoss;
import jacquard.clip.nn.PositionTable;
import jacquard.tensor.Grid;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Measure;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;

/// Contrastive losses with their gradients, and optimiser trajectories. The values were computed in double; ours in
/// single.
public final class LossesFamily implements Family {
  @Override public String name() { return "losses"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    try (var io = Safetensors.open(folder.resolve("losses.safetensors"));
        var scope = Scope.open(Conformance.device())) {
      for (var n : io.names()) {
        if (!n.endsWith(".image") || n.startsWith("distill")) continue;
        var key = n.substring(0, n.length() - ".image".length());
        try { contrastive(io, key, report); } catch (IOException | RuntimeException e) {
          report.failed("losses/" + key, e);
        }
      }
      optimizer(io, "adamw", new Optimizer.AdamW(0.9, 0.98, 1e-6), 3e-3, 0.2, report);
      optimizer(io, "adamw_default", new Optimizer.AdamW(0.9, 0.999, 1e-8), 1e-3, 0.05, report);
      clip(io, report);
      schedules(folder, report);
      optimizer(io, "nadamw", new Optimizer.NAdamW(0.9, 0.999, 1e-8, 4e-3), 2e-3, 0.1, report);
      optimizer(io, "sgd_momentum", new Optimizer.Sgd(0.9, true), 0.05, 1e-3, report);
      distill(io, report);
      positions(io, report);
    }
  }

  private static Tensor tensor(Safetensors io, String name) throws IOException {
    return Tensor.of(Shape.of(io.shape(name)), io.floats(name));
  }

  private static void contrastive(Safetensors io, String key, Report report) throws IOException {
    boolean softmax = key.startsWith("softmax");
    var in = List.of(tensor(io, key + ".image"), tensor(io, key + ".text"), tensor(io, key + ".log_scale"),
        tensor(io, key + ".bias"));
    var r = Grad.vjp(in, t -> List.of(softmax ? ContrastiveLoss.softmax(t.get(0), t.get(1), t.get(2).exp(), null)
        : ContrastiveLoss.sigmoid(t.get(0), t.get(1), t.get(2).exp(), t.get(3), null)), y -> List.of(Tensor.scalar(1)));
    report.check("losses/" + key + " loss", Measure.error(r.values().getFirst().floats(), io.floats(key + ".loss")),
        2e-6);
    var names = List.of("image", "text", "log_scale", "bias");
    for (int i = 0; i < 4; i++) {
      var n = key + ".d_" + names.get(i);
      if (io.names().contains(n))
        report.check("losses/" + n, Measure.error(r.gradients().get(i).floats(), io.floats(n)), 2e-6);
    }
  }

  /// 12 steps of w and b. Only the run named `adamw` exempts b from decay.
  private static void optimizer(Safetensors io, String name, Optimizer.Fused rule, double rate, double decay,
      Report report) throws IOException {
    var key = "opt." + name + ".";
    double worst = 0;
    for (var part : List.of("w", "b")) {
      if (!io.names().contains(key + part + 0)) continue;
      Tensor p = tensor(io, key + part + 0);
      var in = new ArrayList<>(List.of(p));
      for (var _ : rule.moments()) in.add(Tensor.zeros(p.shape()));
      for (int i = 0; i < 12; i++) {
        var all = new ArrayList<>(in);
        all.add(tensor(io, key + "g" + part + i));
        Tensor.applyAll(rule.update(i + 1, rate, name.equals("adamw") && part.equals("b") ? 0 : decay, 1), all);
        double d = Measure.difference(p.floats(), io.floats(key + part + (i + 1)));
        worst = d <= worst ? worst : d;
      }
    }
    report.check("losses/opt." + name, worst, 3e-6);
  }

  /// Gradients are of the contrastive loss and the distillation together.
  private static void distill(Safetensors io, Report report) throws IOException {
    var in = List.of(tensor(io, "distill.image"), tensor(io, "distill.text"), tensor(io, "distill.log_scale"));
    Tensor x = tensor(io, "distill.teacher_image"), y = tensor(io, "distill.teacher_text"), scale =
        tensor(io, "distill.teacher_log_scale").exp();
    var r = Grad.vjp(in, t -> {
      var s = t.get(2).exp();
      return List.of(ContrastiveLoss.softmax(t.get(0), t.get(1), s, null),
          DistillLoss.of(new DistillLoss.Seen(t.get(0), t.get(1), s), new DistillLoss.Seen(x, y, scale)));
    }, _ -> List.of(Tensor.scalar(1), Tensor.scalar(1)));
    report.check("losses/distill contrastive",
        Measure.error(r.values().get(0).floats(), io.floats("distill.contrastive")), 2e-6);
    report.check("losses/distill loss", Measure.error(r.values().get(1).floats(), io.floats("distill.distill")), 2e-6);
    var names = List.of("image", "text", "log_scale");
    for (int i = 0; i < 3; i++)
      report.check("losses/distill.d_" + names.get(i),
          Measure.error(r.gradients().get(i).floats(), io.floats("distill.d_" + names.get(i))), 2e-6);
  }

  /// `pos.7to9`: a 7×7 grid and a class token become 9×9. `textpos.77to32`: 77 rows become 32.
  private static void positions(Safetensors io, Report report) throws IOException {
    for (var n : io.names()) {
      if (!n.matches("(text)?pos\\..*\\.in")) continue;
      var key = n.substring(0, n.length() - ".in".length());
      var sizes = key.substring(key.indexOf('.') + 1).split("to");
      int from = Integer.parseInt(sizes[0]), to = Integer.parseInt(sizes[1]), width = io.shape(n)[1];
      float[] ours = key.startsWith("text") ? PositionTable.ofText(io.floats(n), width, to)
          : PositionTable.ofGrid(io.floats(n), 1, width, new Grid(from, from), new Grid(to, to));
      report.check("losses/" + key, Measure.difference(ours, io.floats(key + ".out")), 1e-5);
    }
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
        case "const-cooldown" -> new Schedule.Cooldown(h.get("base"), warmup, steps, h.get("cooldown").longValue(),
            h.get("power"), h.get("end"));
        default -> throw new IOException("schedule " + e.getKey());
      };
      double d = 0;
      for (int i = 0; i < e.getValue().size(); i++)
        d = Math.max(d, Math.abs(schedule.rate(i) - e.getValue().get(i).asDouble()));
      report.check("losses/schedule " + e.getKey(), d, 1e-12);
    }
  }
}
