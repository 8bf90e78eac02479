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
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/// From a JPEG file of 640×480 to the normalised 224×224 pixels that a tower sees, one picture at a time, beside
/// OpenCLIP's transform on Pillow; then each half by itself: the file to pixels, and bicubic resize, crop and
/// normalisation of pixels that are there. And a lossy WebP with opacity to pixels.
///
/// What you should see: the whole ahead of Pillow where libjpeg-turbo is installed, for Pillow decodes by the same
/// library, and we make only the part of the resized picture that the crop keeps. Without it ImageIO decodes, in three
/// to four times the time. Pillow decodes WebP by libwebp, as we do where it is installed.
@State(Scope.Benchmark)
public class B06_Pictures implements Work.Case {
  private static final String WHOLE = "640×480 JPEG to 224×224", DECODE = "640×480 JPEG decode",
      WEBP = "640×480 WebP with opacity decode";
  @Param({WHOLE, DECODE, WEBP, "640×480 pixels to 224×224"}) public String what;

  private Contest contest;

  @Override public Work work() { return new Work("picture " + what, Work.Unit.EACH, 1, Worker.OPEN_CLIP, Double.NaN); }

  @Setup public void open() throws Exception {
    var file = Samples.picture();
    var transform = new Transform(PreprocessConfig.ofSize(224));
    var picture = Images.read(file);
    var worker = Worker.openClip(null, null, null);
    contest = switch (what) {
      case WHOLE -> Contest.of(() -> transform.rows(Images.read(file)), worker.lane("picture " + file));
      case DECODE -> Contest.of(() -> Images.read(file), worker.lane("decode " + file));
      case WEBP -> {
        var webp = file.resolveSibling("picture.webp");
        worker.ask("webp " + file + " " + webp);
        yield Contest.of(() -> Images.read(webp), worker.lane("decode " + webp));
      }
      default -> Contest.of(() -> transform.rows(picture), worker.lane("transform " + file));
    };
  }

  @Benchmark public void race(Score score) throws Exception { contest.run(score, work()); }
}
