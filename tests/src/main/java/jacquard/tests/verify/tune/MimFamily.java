package jacquard.tests.verify.tune;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.autograd.Grad;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import jacquard.clip.loss.CosineLoss;
import jacquard.clip.tune.mim.BlockMask;
import jacquard.tensor.Scope;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tests.Conformance;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Measure;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// EVA's masks from the draws that made them, and the loss of what is foretold. The loss was recorded in F64 and is
/// computed in F32, as in training: its tolerance is F32's.
public final class MimFamily implements Family {
  private static final double SINGLE = 2e-6;

  @Override public String name() { return "tuning/mim"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    var json = new ObjectMapper().readTree(folder.resolve("values.json").toFile());
    try (var _ = Scope.open(Conformance.device()); var v = Safetensors.open(folder.resolve("values.safetensors"))) {
      for (var n : v.names()) {
        if (!n.startsWith("mask.")) continue;
        var p = n.split("\\.");
        var draws = new Recorded(json.get(n));
        var mask = new BlockMask(Integer.parseInt(p[1]), Integer.parseInt(p[2]), Integer.parseInt(p[3])).draw(draws);
        long[] expected = v.longs(n);
        int wrong = 0;
        for (int i = 0; i < expected.length; i++) if (mask[i] != (expected[i] != 0)) wrong++;
        report.check(name() + " " + n, wrong == 0 && draws.at == json.get(n).size(),
            wrong + " patches differ, " + draws.at + " of " + json.get(n).size() + " draws used");
      }
      Tensor out = tensor(v, "cosine.output"), target = tensor(v, "cosine.target");
      var r = Grad.vjp(List.of(out), in -> List.of(CosineLoss.of(in.getFirst(), target)),
          _ -> List.of(Tensor.scalar(1)));
      report.check(name() + " cosine.loss", Math.abs(r.values().getFirst().item() - v.floats("cosine.loss")[0]),
          SINGLE);
      report.check(name() + " cosine.d_output",
          Measure.error(r.gradients().getFirst().floats(), v.floats("cosine.d_output")), SINGLE);
    }
  }

  private static Tensor tensor(Safetensors v, String name) throws IOException {
    return Tensor.of(Shape.of(v.shape(name)), v.floats(name));
  }

  /// Draws as they were made.
  private static final class Recorded implements BlockMask.Draws {
    private final JsonNode draws;
    private int at;

    Recorded(JsonNode draws) { this.draws = draws; }

    @Override public double uniform(double from, double to) { return draws.get(at++).asDouble(); }
    @Override public int upTo(int largest) { return draws.get(at++).asInt(); }
  }
}
