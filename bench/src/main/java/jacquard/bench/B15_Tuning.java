package jacquard.bench;

import jacquard.bench.harness.Agreement;
import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Lane;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Training;
import jacquard.bench.peer.Worker;
import jacquard.kernels.cpu.Parallel;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Steps that train little of ViT-B/32: low-rank pairs (rank 8) beside queries, keys, values, output and MLP of all
/// blocks of both towers, batch 32, beside ourselves with all weights trained and beside PEFT on OpenCLIP; and CoOp, 16
/// vectors before 100 names and 32 pictures, beside its authors' computation, which pads each caption to 77. Each side
/// is a process of its own.
///
/// What you should see: no gradient of a frozen weight is computed, and no moment kept of it. A name is as long as it
/// is, and what all begin with is read once. CoOp's gradient agrees with theirs to 1e-4.
@State(Scope.Benchmark)
public class B15_Tuning implements Work.Case {
  private static final String FULL = "all weights trained", PEFT = "PEFT + OpenCLIP", COOP = "CoOp on OpenCLIP";
  @Param({"LoRA step | " + FULL, "LoRA step | " + PEFT, "LoRA memory | " + FULL, "LoRA memory | " + PEFT,
      "CoOp step | " + COOP}) public String what;

  private Worker ours, theirs;

  private boolean coop() { return what.startsWith("CoOp"); }
  private boolean memory() { return what.startsWith("LoRA memory"); }
  private String peer() { return what.substring(what.indexOf('|') + 2); }

  @Override public boolean heavy() { return true; }
  @Override public boolean warmed() { return !memory(); }

  @Override public Work work() {
    if (memory())
      return new Work("memory of LoRA step ViT-B-32 batch 32", Work.Unit.MEGABYTES, 1, peer(), peer().equals(FULL)
          ? 1 / 0.45 : 1);
    return coop() ? new Work("CoOp step 100 names 16 vectors batch 32", Work.Unit.EACH, Training.BATCH, peer(), 4)
        : new Work("LoRA step ViT-B-32 batch 32", Work.Unit.EACH, Training.BATCH, peer(), peer().equals(FULL)
            ? 1 / 0.8 : 1.3);
  }

  @Setup public void open() throws Exception {
    ours = Worker.jacquard(Parallel.threads(), coop() ? "coop" : "lora");
    theirs = peer().equals(FULL) ? Worker.jacquard(Parallel.threads(), "step")
        : Worker.openClip(Training.MODEL, Samples.weights(Training.MODEL), coop()
            ? Samples.prompts(Training.BATCH, Training.NAMES, Training.VECTORS)
            : Samples.batch(Training.MODEL, Training.BATCH));
    if (!coop()) return;
    try (var training = Training.open("coop")) {
      float[] expected = theirs.features("context");
      training.gradients((_, g) -> Agreement.check("the gradient of the vectors", g.get("text.prompt.ctx").floats(),
          expected, 1e-4));
    }
  }

  private Lane lane(Worker w) {
    return w.lane(w == ours || peer().equals(FULL) ? "step" : coop() ? "coop" : "lora " + Training.RANK);
  }

  @Benchmark public void race(Score score) throws Exception {
    if (!memory()) {
      new Contest(lane(ours), lane(theirs), null).run(score, work());
      return;
    }
    for (int i = 0; i < 3; i++) {
      lane(ours).perCall(0);
      lane(theirs).perCall(0);
    }
    score.counted(ours.number("peak"), theirs.number("peak"));
    ours.close();
    theirs.close();
  }
}
