package jacquard.bench;

import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Worker;
import jacquard.clip.image.Images;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.image.Transform;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// From a JPEG file of 640×480 to the normalised 224×224 pixels that a tower sees, one picture at a time, beside OpenCLIP's transform on Pillow.
///
/// What you should see: behind Pillow, since ImageIO's JPEG decoder is slower than libjpeg-turbo; the resize itself is as fast. Loader threads hide it.
@State(Scope.Benchmark)
public class B06_Pictures implements Work.Case {
  private Contest contest;

  @Override public Work work() { return new Work("picture 640×480 JPEG to 224×224", Work.Unit.EACH, 1, Worker.OPEN_CLIP, Double.NaN); }

  @Setup public void open() throws Exception {
    var file = Samples.picture();
    var transform = new Transform(PreprocessConfig.ofSize(224));
    contest = Contest.of(() -> transform.rows(Images.read(file)), Worker.openClip(null, null, null).lane("picture " + file));
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work()); }
}
