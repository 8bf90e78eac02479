package jacquard.tests.peer;

import jacquard.clip.eval.Ranking;
import jacquard.clip.eval.metrics.Classifier;
import jacquard.clip.eval.probe.Features;
import jacquard.clip.eval.probe.LinearProbe;
import jacquard.tests.Conformance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// How long retrieval of 5,000 pictures by 25,000 captions and a linear probe of 50,000 × 512 take, on features of
/// chance; `tests/peer/speed` runs CLIP_benchmark on the same sizes beside it.
public final class EvaluationSpeed {
  private static final int WIDTH = 512, RUNS = 3;

  /// Before the first run, the features included.
  private static long resident;

  private EvaluationSpeed() {}

  public static void main(String[] args) {
    int part = args.length > 0 ? Integer.parseInt(args[0]) : 1;                    // a divisor of the sizes, to try it
    float[][] images = features(5_000 / part, 1), texts = features(25_000 / part, 2);
    resident = status("VmRSS");
    for (int r = 0; r < RUNS; r++) time("retrieval", () -> {
      var ranking = Ranking.of(images, texts, 10, Conformance.device());
      int[] all = IntStream.range(0, texts.length).toArray();
      for (int k : new int[] {1, 5, 10}) {
        ranking.rowRecall((i, t) -> t % images.length == i, k);
        ranking.columnRecall(all, (i, t) -> t % images.length == i, k);
      }
    });
    int samples = 50_000 / part;
    var train = new Features(features(samples, 3), IntStream.range(0, samples).map(i -> i % 100).toArray());
    var probe = new LinearProbe(0.1, 64, 10, 0, Conformance.device());
    resident = status("VmRSS");
    for (int r = 0; r < RUNS; r++) time("linear probe", () -> probe.train(train, 100, 1e-4));
  }

  private static float[][] features(int n, long seed) {
    var random = new SplittableRandom(seed);
    var r = new float[n][WIDTH];
    for (var row : r) for (int k = 0; k < WIDTH; k++) row[k] = (float) random.nextGaussian();
    return Classifier.normalised(r);
  }

  private static void time(String what, Runnable work) {
    long start = System.nanoTime();
    work.run();
    System.out.printf("ours  %-14s %.2f s, resident at most %,d MB more%n", what, (System.nanoTime() - start) / 1e9,
        status("VmHWM") - resident);
  }

  /// MB of this process as Linux counts them; 0 elsewhere.
  private static long status(String what) {
    try {
      return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(l -> l.startsWith(what + ":"))
          .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) / 1024).findFirst().orElse(0);
    } catch (IOException e) { return 0; }
  }
}
