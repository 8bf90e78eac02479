package jacquard.bench;

import jacquard.bench.harness.Ceiling;
import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Flops;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Worker;
import jacquard.clip.Clip;
import jacquard.clip.model.coca.Captioner;
import jacquard.clip.model.coca.Generation;
import jacquard.clip.model.tower.ImageBatch;
import jacquard.tensor.Device;
import java.util.Arrays;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// CoCa writes a caption of 20 tokens for a picture, pixels to ids, beside OpenCLIP's `generate`: with six beams, which
/// is its default (there in three groups that do not know of each other, here in one), and always the likeliest token.
/// The ids must be the same but for the last, which OpenCLIP 3.3 makes an end.
///
/// What you should see: we read one token a step, and make keys and values of the picture once; OpenCLIP reads the
/// whole caption again for each token. What is left is the reading of the weights: some 130 M of them a token.
@State(Scope.Benchmark)
public class B16_Caption implements Work.Case {
  private static final String MODEL = "coca_ViT-B-32";
  private static final int LENGTH = 20;
  @Param({"beams", "greedy"}) public String search;

  private Contest contest;
  private double flops;

  @Override public Work work() {
    return new Work("caption " + MODEL + " " + search, Work.Unit.EACH, 1, Worker.OPEN_CLIP, 5);
  }

  @Setup public void open() throws Exception {
    var model = Clip.load(Samples.model(MODEL)).model();
    float[] pixels = Samples.pixels(MODEL, 1);
    var marks = new Generation.Marks(49406, 49407, 0);
    var generation = new Generation(marks, LENGTH, LENGTH - 1, 1, search.equals("greedy") ? Generation.GREEDY
        : new Generation.Beams(6));
    Supplier<int[][]> ours = () -> {
      try (var _ = jacquard.tensor.Scope.open(Device.best())) {
        return Captioner.captions(model, ImageBatch.of(pixels, 1, model.visual().input()), null, generation);
      }
    };
    flops = Flops.of(ours::get);
    var worker = Worker.openClip(MODEL, Samples.weights(MODEL), Samples.batch(MODEL, 32));
    var work = "caption " + search + " " + LENGTH;
    float[] theirs = worker.features(work);
    int[] ids = Arrays.stream(ours.get()).flatMapToInt(Arrays::stream).toArray();
    for (int i = 0; i < LENGTH - 1; i++)
      if (ids.length != LENGTH || theirs.length != LENGTH || ids[i] != theirs[i])
        throw new IllegalStateException("captions differ from id " + i + " on: " + Arrays.toString(ids)
            + ", but OpenCLIP has " + Arrays.toString(theirs));
    contest = Contest.of(ours::get, worker.lane(work)).under(Ceiling.fma());
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work().of(flops)); }
}
