package jacquard.bench.harness;

import java.util.SplittableRandom;

/// Numbers that are the same in every run.
public final class Draw {
  private Draw() {}

  /// Uniform in ±√3: mean 0, variance 1.
  public static float[] floats(long seed, int n) {
    var random = new SplittableRandom(seed);
    float[] r = new float[n];
    for (int i = 0; i < n; i++) r[i] = (float) random.nextDouble(-1.7320508, 1.7320508);
    return r;
  }
}
