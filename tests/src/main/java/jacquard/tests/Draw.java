package jacquard.tests;

import jacquard.tensor.Random;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;

/// Random values, and tensors of them.
public final class Draw {
  /// Element `i` of a tensor, from a stream of its own.
  public interface Values { double at(Random random, int i); }

  private Draw() {}

  public static Tensor uniform(long seed, Shape shape, float low, float high) {
    return sample(seed, new Type(jacquard.tensor.DType.F32, shape), uniform(low, high)).tensor();
  }

  public static Values uniform(double low, double high) { return (r, i) -> low + r.uniform(i) * (high - low); }

  /// Whole numbers, both bounds included.
  public static Values whole(int low, int high) { return (r, i) -> low + r.below(i, high - low + 1); }

  /// These, over and over.
  public static Values these(double... values) { return (_, i) -> values[i % values.length]; }

  /// Mostly `values`, and at every `step`-th element one of `rare`.
  public static Values mixed(Values values, int step, double... rare) {
    return (r, i) -> i % step == step - 1 ? rare[i / step % rare.length] : values.at(r, i);
  }

  public static Sample sample(long seed, Type type, Values values) {
    var random = Random.of(seed);
    double[] v = new double[Math.toIntExact(type.shape().size())];
    for (int i = 0; i < v.length; i++) v[i] = values.at(random, i);
    return Sample.of(type, v);
  }
}
