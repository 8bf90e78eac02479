package jacquard.clip.nn;

import jacquard.tensor.DType;
import jacquard.tensor.Random;
import jacquard.tensor.Shape;
import jacquard.tensor.Storage;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import java.util.function.LongToDoubleFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// How a parameter begins.
public sealed interface Init {
  /// The same everywhere.
  record Constant(float value) implements Init {}
  /// Normal about zero.
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
    /// Elements that one thread draws.
    int FEW = 1 << 12;

    Tensor make(Init init, int... dims);

    /// Types without elements, to be replaced by loaded ones.
    Maker DESCRIBED = (init, dims) ->
        Tensor.described(new Type(init instanceof Count ? DType.I64 : DType.F32, Shape.of(dims)));

    /// Elements drawn from the key, a stream for each parameter in the order of construction. They are drawn when they
    /// are first used, and a part of them alone where no more is asked for.
    static Maker drawn(Random key) {
      int[] site = {0};
      return (init, dims) -> {
        var random = key.fold(site[0]++);
        var type = new Type(init instanceof Count ? DType.I64 : DType.F32, Shape.of(dims));
        int size = (int) type.shape().size();
        return switch (init) {
          case Count _ -> Tensor.ofArray(type, new long[size]);
          case Given(var e) -> Tensor.of(type.shape(), e.get());
          case Constant(var c) -> Tensor.of(type, each(_ -> c));
          case Normal(var d) -> Tensor.of(type, each(i -> random.normal(i) * d));
          case Uniform(var b) -> Tensor.of(type, each(i -> (random.uniform(i) * 2 - 1) * b));
          case Truncated(var d) -> Tensor.of(type, each(i -> {
            double z = random.normal(i);
            for (long at = i; Math.abs(z) > 2; z = random.normal(at)) at += size;
            return z * d;
          }));
        };
      };
    }

    private static Storage.Source each(LongToDoubleFunction element) {
      return (from, array, at, n) -> {
        float[] v = (float[]) array;
        var all = IntStream.range(0, n);
        (n < FEW ? all : all.parallel()).forEach(i -> v[at + i] = (float) element.applyAsDouble(from + i));
      };
    }
  }
}
