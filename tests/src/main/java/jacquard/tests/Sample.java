package jacquard.tests;

import jacquard.tensor.DType;
import jacquard.tensor.Tensor;
import jacquard.tensor.Type;
import jacquard.tests.reference.Exact;
import jacquard.tests.reference.Real;
import jacquard.tests.reference.Reference;
import java.lang.reflect.Array;
import java.util.Arrays;

/// The elements of a tensor, off every device: values that its dtype holds exactly.
public record Sample(Type type, double[] values) {

  /// Rounded to the dtype.
  public static Sample of(Type type, double... values) {
    double[] v = new double[values.length];
    for (int i = 0; i < v.length; i++) v[i] = Reference.cast(values[i], type.dtype());
    return new Sample(type, v);
  }

  public static Sample of(Type type, Exact e) {
    return of(type, Arrays.stream(e.at()).mapToDouble(Real::value).toArray());
  }

  public static Sample read(Tensor t) { return new Sample(t.type(), widened(t.dtype(), t.read())); }

  /// A primitive array as the device reads and writes it, widened.
  public static double[] widened(DType dtype, Object array) {
    double[] v = new double[Array.getLength(array)];
    for (int i = 0; i < v.length; i++) v[i] = switch (array) {
      case float[] a -> a[i];
      case short[] a -> dtype == DType.BF16 ? DType.fromBf16(a[i]) : Float.float16ToFloat(a[i]);
      case int[] a -> a[i];
      case long[] a -> a[i];
      case byte[] a -> a[i] & 255;
      default -> throw new IllegalStateException();
    };
    return v;
  }

  /// In an array of the dtype that a device can take.
  public void write(Object array, int at, int i) {
    double v = values[i];
    switch (array) {
      case float[] a -> a[at] = (float) v;
      case short[] a -> a[at] = type.dtype() == DType.BF16 ? DType.toBf16((float) v) : Float.floatToFloat16((float) v);
      case int[] a -> a[at] = (int) v;
      case long[] a -> a[at] = (long) v;
      case byte[] a -> a[at] = (byte) (int) v;
      default -> throw new IllegalStateException();
    }
  }

  public Tensor tensor() {
    Object a = Placement.array(type.dtype(), values.length);
    for (int i = 0; i < values.length; i++) write(a, i, i);
    return Tensor.ofArray(type, a);
  }

  public Exact exact() { return Exact.of(type.shape(), i -> Real.of(values[i])); }

  /// The same values rounded to another dtype.
  public Sample as(DType dtype) { return of(new Type(dtype, type.shape()), values); }
}
