package jacquard.clip.nn;

import jacquard.tensor.DType;
import jacquard.tensor.Random;
import jacquard.tensor.Shape;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// How a parameter begins.
public sealed interface Init {
  record Constant(float value) implements Init {}
  record Normal(double deviation) implements Init {}
  /// Normal, cut off at two deviations (timm's `trunc_normal_tf_`).
  record Truncated(double deviation) implements Init {}
  /// Uniform in ±bound.
  record Uniform(double bound) implements Init {}
  /// Given elements, asked for when they are drawn.
  record Given(Supplier<float[]> elements) implements Init {}
  /// An I64 counter at zero.
  record Count() implements Init {}

  Init ZEROS = new Constant(0);
  Init ONES = new Constant(1);

  /// PyTorch's default for Linear and Conv weights and biases: U(±1/√fanIn).
  static Init fanIn(int fanIn) { return new Uniform(1 / Math.sqrt(fanIn)); }

  /// Glorot and Bengio 2010: U(±√(6/(in + out))).
  static Init xavier(int in, int out) { return new Uniform(Math.sqrt(6.0 / (in + out))); }

  /// Makes the tensors of a model: describes them, or draws them.
  @FunctionalInterface
  interface Maker {
    Tensor make(Init init, int... dims);

    /// Types without elements, to be replaced by loaded ones.
    Maker DESCRIBED = (init, dims) ->
        Tensor.described(new Type(init instanceof Count ? DType.I64 : DType.F32, Shape.of(dims)));

    /// Elements drawn from the key, a stream for each parameter in the order of construction.
    static Maker drawn(Random key) {
      int[] site = {0};
      return (init, dims) -> {
        var random = key.fold(site[0]++);
        var shape = Shape.of(dims);
        if (init instanceof Count) return Tensor.ofArray(new Type(DType.I64, shape), new long[(int) shape.size()]);
        float[] v = new float[(int) shape.size()];
        switch (init) {
          case Constant(var c) -> java.util.Arrays.fill(v, c);
          case Normal(var d) -> IntStream.range(0, v.length).parallel()
              .forEach(i -> v[i] = (float) (random.normal(i) * d));
          case Truncated(var d) -> IntStream.range(0, v.length).parallel().forEach(i -> {
            double z = random.normal(i);
            for (long at = i; Math.abs(z) > 2; z = random.normal(at)) at += v.length;
            v[i] = (float) (z * d);
          });
          case Uniform(var b) -> IntStream.range(0, v.length).parallel()
              .forEach(i -> v[i] = (float) ((random.uniform(i) * 2 - 1) * b));
          case Given(var e) -> System.arraycopy(e.get(), 0, v, 0, v.length);
          case Count _ -> {}
        }
        return Tensor.of(shape, v);
      };
    }
  }
}
