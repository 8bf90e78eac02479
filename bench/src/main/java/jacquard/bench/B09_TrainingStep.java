package jacquard.bench;

import jacquard.bench.harness.Agreement;
import jacquard.bench.harness.Ceiling;
import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Training;
import jacquard.bench.peer.Worker;
import jacquard.clip.checkpoint.Checkpoint;
import jacquard.clip.checkpoint.safetensors.Safetensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// One training step of ViT-B/32 at batch 32: both towers, the softmax loss, backward and AdamW, on drawings with
/// captions of 9.6 tokens in the mean. Beside OpenCLIP, and on two threads beside ourselves on one.
///
/// What you should see: more than the matrix products alone would give, since the text tower has eight times fewer rows
/// than OpenCLIP's. The loss agrees with OpenCLIP's to 1e-6, each gradient to 1e-4 of the larger of its own largest
/// entry and a thousandth of the largest of all.
@State(Scope.Benchmark)
public class B09_TrainingStep implements Work.Case {
  private static final String ONE = "Jacquard on 1 thread";
  @Param({Worker.OPEN_CLIP, ONE}) public String peer;

  private Contest contest;

  @Override public boolean heavy() { return true; }
  @Override public boolean on(int threads) { return threads > 1 || !peer.equals(ONE); }

  @Override public Work work() {
    double tokens = 32 * 9.6;                                                     // 0.0757 GFLOP a token forward
    return new Work("training step ViT-B-32 batch 32", Work.Unit.EACH, Training.BATCH, peer, peer.equals(ONE) ? 1.85
        : 1.8).of(3e9 * (32 * 8.82 + tokens * 0.0757));
  }

  @Setup public void open() throws Exception {
    var training = Training.open();
    if (peer.equals(ONE)) {
      contest = Contest.of(training::step, Worker.jacquard(1).lane("step")).under(Ceiling.fma());
      return;
    }
    var worker = Worker.openClip(Training.MODEL, Samples.weights(Training.MODEL),
        Samples.batch(Training.MODEL, Training.BATCH));
    var file = Files.createTempFile("gradients", ".safetensors");
    worker.ask("gradients " + file);
    try (var theirs = Safetensors.open(file)) {
      training.gradients((loss, gradients) -> {
        try {
          Agreement.check("the loss", new float[] {(float) (double) loss}, theirs.floats("loss"), 1e-6);
          double largest = 0;
          for (var n : theirs.names())
            if (!n.equals("loss")) largest = Math.max(largest, Agreement.largest(theirs.floats(n)));
          for (var e : gradients.entrySet()) {
            var name = training.task().model().nameOf(e.getKey());
            float[] t = theirs.floats(name);
            Agreement.check("the gradient of " + name, Checkpoint.toDisk(training.task().model(), e.getKey(),
                e.getValue()), t, 1e-4 * Math.max(1, 1e-3 * largest / Agreement.largest(t)));
          }
        } catch (IOException e) { throw new UncheckedIOException(e); }
      });
    }
    contest = Contest.of(training::step, worker.lane("step")).under(Ceiling.fma());
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work()); }
}
