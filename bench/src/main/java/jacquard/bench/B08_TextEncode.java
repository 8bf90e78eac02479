package jacquard.bench;

import jacquard.bench.harness.Agreement;
import jacquard.bench.harness.Ceiling;
import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Flops;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Worker;
import jacquard.clip.Clip;
import jacquard.tensor.Device;
import java.util.Arrays;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// Text towers on captions of 9.6 tokens in the mean, token ids to normalised features: ViT-B/32's, and RoBERTa, which
/// is not causal.
///
/// What you should see: several times OpenCLIP's speed, because it computes 77 rows a caption whatever its length, and
/// we those that reach the result. The features agree to 1e-5 of the largest.
@State(Scope.Benchmark)
public class B08_TextEncode implements Work.Case {
  @Param({"ViT-B-32", "roberta-ViT-B-32"}) public String model;
  @Param({"64", "1"}) public int captions;

  private Contest contest;
  private double flops;

  private boolean first() { return model.equals("ViT-B-32"); }

  @Override public boolean on(int threads) { return first() || threads == 2; }

  @Override public Work work() {
    return new Work("text encode " + model + " captions " + captions, Work.Unit.EACH, captions, Worker.OPEN_CLIP,
        captions == 1 ? first() ? 3 : 2 : first() ? 6 : 3);
  }

  @Setup public void open() throws Exception {
    var clip = Clip.load(Samples.model(model));
    int[][] tokens = Arrays.copyOf(Samples.tokens(model, 64), captions);
    Supplier<float[]> ours = () -> {
      try (var _ = jacquard.tensor.Scope.open(Device.best())) { return clip.model().embedTexts(tokens).floats(); }
    };
    flops = Flops.of(ours::get);
    var worker = Worker.openClip(model, Samples.weights(model), Samples.batch(model, 64));
    Agreement.check(work().name(), ours.get(), worker.features("texts " + captions), 1e-5);
    contest = Contest.of(ours::get, worker.lane("texts " + captions)).under(Ceiling.fma());
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work().of(flops)); }
}
