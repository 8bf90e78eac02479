package jacquard.tests;

import jacquard.tensor.Random;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;

/// Random tensors.
public final class Draw {
  private Draw() {}

  public static Tensor uniform(long seed, Shape shape, float low, float high) {
    var random = Random.of(seed);
    float[] v = new float[(int) shape.size()];
    for (int i = 0; i < v.length; i++) v[i] = (float) (low + random.uniform(i) * (high - low));
    return Tensor.of(shape, v);
  }
}
