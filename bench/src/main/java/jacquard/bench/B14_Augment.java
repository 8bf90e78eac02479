package jacquard.bench;

import jacquard.bench.harness.Contest;
import jacquard.bench.harness.Score;
import jacquard.bench.harness.Work;
import jacquard.bench.peer.Samples;
import jacquard.bench.peer.Worker;
import jacquard.clip.image.Images;
import jacquard.clip.image.Interpolation;
import jacquard.clip.image.augment.Canvas;
import jacquard.clip.image.augment.policy.Timm;
import jacquard.clip.image.resize.Resize;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// An operation of timm's policies on one picture of 224×224, beside timm on Pillow: the same operation with the same
/// argument, which gives the same pixels (`tests/verify …/tuning/augment`).
///
/// What you should see: no operation slower than Pillow's.
@State(Scope.Benchmark)
public class B14_Augment implements Work.Case {
  private static final int SIDE = 224;
  @Param({"AutoContrast", "Equalize", "Invert", "Rotate 17", "PosterizeIncreasing 3", "SolarizeIncreasing 128",
      "SolarizeAdd 60", "ColorIncreasing 1.6", "ContrastIncreasing 1.6", "BrightnessIncreasing 1.6",
      "SharpnessIncreasing 1.6", "ShearX 0.2", "TranslateYRel 0.3", "GaussianBlur 1.5"}) public String what;

  private Contest contest;

  @Override public Work work() { return new Work("augment " + what, Work.Unit.EACH, 1, Worker.OPEN_CLIP, Double.NaN); }

  @Setup public void open() throws Exception {
    var file = Samples.picture();
    var image = Resize.of(Images.read(file), SIDE, SIDE, Interpolation.BICUBIC).pixels();
    var canvas = Canvas.black(Interpolation.BICUBIC);
    var words = what.split(" ");
    double argument = words.length > 1 ? Double.parseDouble(words[1]) : 0;
    contest = Contest.of(() -> Timm.apply(words[0], image, argument, canvas, new SplittableRandom(1)),
        Worker.openClip(null, null, null).lane("augment " + file + " " + SIDE + " " + what));
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work()); }
}
