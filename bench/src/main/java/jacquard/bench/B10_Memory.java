package jacquard.bench;

import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Resident;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Training;
import jacquard.bench.peer.Worker;
import jacquard.kernels.cpu.Parallel;
import java.nio.file.Files;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/// What the machine must have: the most that a whole training process has resident (ViT-B/32, batch 32, three steps),
/// and what a contrastive loss with its backward needs beyond inputs and gradients. Ours is what lives after the
/// fullest garbage collection during the call, and the scratch that threads keep.
///
/// What you should see: the loss needs scratch for a stripe of tiles where OpenCLIP holds several N×N matrices: a few
/// percent at N = 8,192. The process is smaller than OpenCLIP's, although the heap is given back late. A large model's
/// first embedding takes the pages of its file that it reads, those of the image tower, and little else.
@State(Scope.Benchmark)
public class B10_Memory implements Work.Case {
  @Param({"training step ViT-B-32 batch 32", "softmax loss N=8192", "sigmoid loss N=8192", "softmax loss N=32768",
      LARGE})
  public String what;
  private static final String LARGE = "first embedding ViT-bigG-14", FILE = "its file";
  /// Of the size of the file may be resident.
  private static final double MORE = 1.1;

  @Override public boolean heavy() { return true; }
  @Override public boolean warmed() { return false; }

  private boolean huge() { return what.endsWith("32768"); }

  @Override public Work work() {
    if (what.equals(LARGE)) return new Work("memory of " + what, Work.Unit.MEGABYTES, 1, FILE, 1 / MORE);
    return new Work("memory of " + what, Work.Unit.MEGABYTES, 1, huge() ? "limit of 256 MB" : Worker.OPEN_CLIP, huge()
        ? 1 : what.startsWith("training") ? 1 / 0.6 : 20);
  }

  @Benchmark public void weigh(Score score) throws Exception {
    if (what.equals(LARGE)) {
      var folder = Samples.model(Samples.LARGE);
      var ours = Resident.of(List.of("./jacquard", "embed", folder.toString(), Samples.picture().toString(), "--out",
          "bench/target/large"));
      score.counted(ours.peak(), Files.size(Samples.weights(Samples.LARGE)));
      return;
    }
    if (what.startsWith("training")) {
      try (var ours = Worker.jacquard(Parallel.threads()); var theirs =
          Worker.openClip(Training.MODEL, Samples.weights(Training.MODEL),
          Samples.batch(Training.MODEL, Training.BATCH))) {
        for (int i = 0; i < 3; i++) {
          ours.ask("time 0 step");
          theirs.ask("time 0 step");
        }
        score.counted(ours.number("peak"), theirs.number("peak"));
      }
      return;
    }
    int n = Integer.parseInt(what.replaceAll(".*=", ""));
    var kind = what.substring(0, what.indexOf(' '));
    double ours = B04_Contrastive.extra(kind, n);
    if (huge()) score.counted(ours, 256e6);
    else try (var theirs = Worker.openClip(null, null, null)) {
      score.counted(ours, theirs.number("extra loss " + kind + " " + n));
    }
  }
}
