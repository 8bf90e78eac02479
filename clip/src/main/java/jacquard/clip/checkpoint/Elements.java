package jacquard.clip.checkpoint;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import jacquard.clip.checkpoint.Weights.Entry;
import jacquard.tensor.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Bytes of a file as arrays.
public final class Elements {
  public static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(LITTLE_ENDIAN);
  public static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  public static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  public static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private Elements() {}

  static float[] floats(Weights of, Entry entry, MemorySegment bytes) throws IOException {
    float[] x = new float[count(of, entry, true)];
    switch (entry.stored()) {
      case F32 -> MemorySegment.copy(bytes, FLOAT, 0, x, 0, x.length);
      case F64 -> { for (int i = 0; i < x.length; i++) x[i] = (float) bytes.get(DOUBLE, 8L * i); }
      case F16 -> { for (int i = 0; i < x.length; i++) x[i] = Float.float16ToFloat(bytes.get(SHORT, 2L * i)); }
      case BF16 -> { for (int i = 0; i < x.length; i++) x[i] = DType.fromBf16(bytes.get(SHORT, 2L * i)); }
      case I64, I32, I16, I8, U8, BOOL -> throw new AssertionError(entry);
    }
    return x;
  }

  static double[] doubles(Weights of, Entry entry, MemorySegment bytes) throws IOException {
    double[] x = new double[count(of, entry, true)];
    if (entry.stored() == Stored.F64) {
      MemorySegment.copy(bytes, DOUBLE, 0, x, 0, x.length);
      return x;
    }
    float[] narrow = floats(of, entry, bytes);
    for (int i = 0; i < x.length; i++) x[i] = narrow[i];
    return x;
  }

  static long[] longs(Weights of, Entry entry, MemorySegment bytes) throws IOException {
    long[] x = new long[count(of, entry, false)];
    switch (entry.stored()) {
      case I64 -> MemorySegment.copy(bytes, LONG, 0, x, 0, x.length);
      case I32 -> { for (int i = 0; i < x.length; i++) x[i] = bytes.get(INT, 4L * i); }
      case I16 -> { for (int i = 0; i < x.length; i++) x[i] = bytes.get(SHORT, 2L * i); }
      case I8 -> { for (int i = 0; i < x.length; i++) x[i] = bytes.get(JAVA_BYTE, i); }
      case U8 -> { for (int i = 0; i < x.length; i++) x[i] = bytes.get(JAVA_BYTE, i) & 0xff; }
      case BOOL -> { for (int i = 0; i < x.length; i++) x[i] = bytes.get(JAVA_BYTE, i) == 0 ? 0 : 1; }
      case F64, F32, BF16, F16 -> throw new AssertionError(entry);
    }
    return x;
  }

  private static int count(Weights of, Entry entry, boolean floating) throws IOException {
    if (entry.stored().floating() != floating)
      throw new IOException(of.file() + ": " + entry.name() + " is " + entry.stored() + ", expected "
          + (floating ? "floats"
          : "whole numbers"));
    long count = entry.byteCount() / entry.stored().bytes();
    if (count > Integer.MAX_VALUE - 8)
      throw new IOException(of.file() + ": " + entry.name() + " has " + count + " elements, more than an array holds");
    return (int) count;
  }
}
