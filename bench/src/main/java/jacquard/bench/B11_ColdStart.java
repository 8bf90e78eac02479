package jacquard.bench;

import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Resident;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Worker;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/// A whole process, from the command to its end: load ViT-B/32 from a safetensors file of 605 MB, embed one JPEG. Ours
/// is `./jacquard embed`.
///
/// What you should see: the file is read in tenths of a second from the page cache; Java starts in as much, and its
/// kernels are compiled while they run. OpenCLIP spends its time importing PyTorch and initialising weights that it
/// then overwrites.
@State(Scope.Benchmark)
public class B11_ColdStart implements Work.Case {
  @Param({"wall", "resident"}) public String what;

  @Override public boolean heavy() { return true; }
  @Override public boolean warmed() { return false; }

  @Override public Work work() {
    return what.equals("wall")
        ? new Work("cold start ViT-B-32, one image", Work.Unit.SECONDS, 1, Worker.OPEN_CLIP, 10 / 1.2)
        : new Work("cold start ViT-B-32, one image: resident", Work.Unit.MEGABYTES, 1, Worker.OPEN_CLIP, 1 / 0.6);
  }

  @Benchmark public void start(Score score) throws Exception {
    var picture = Samples.picture().toString();
    var ours = List.of("./jacquard", "embed", Samples.model("ViT-B-32").toString(), picture, "--out",
        "bench/target/cold");
    var theirs = List.of(Worker.python().toString(), "bench/peers/cold.py", "ViT-B-32",
        Samples.weights("ViT-B-32").toString(), picture);
    var a = new ArrayList<Resident>();
    var b = new ArrayList<Resident>();
    for (int i = 0; i < 4; i++) {
      var x = Resident.of(ours);
      var y = Resident.of(theirs);
      // the files come into the page cache, and what is not built is built
      if (i == 0) continue;
      a.add(x);
      b.add(y);
    }
    score.counted(middle(a), middle(b));
  }

  private double middle(List<Resident> runs) {
    return Contest.quantile(runs.stream().map(r -> what.equals("wall") ? r.seconds() : r.peak()).toList(), 0.5);
  }
}
