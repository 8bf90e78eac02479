package jacquard.tensor;

/// The element types. CPU kernels compute in F32 whatever the storage; on the heap an element lies in the primitive
/// array named here.
public enum DType {
  /// `float[]`
  F32(4),
  /// The upper half of a float: 8 bits of exponent, 7 of mantissa. `short[]`
  BF16(2),
  /// IEEE 754 binary16. `short[]`
  F16(2),
  /// `int[]`
  I32(4),
  /// `long[]`
  I64(8),
  /// `byte[]`, read as 0…255
  U8(1),
  /// `byte[]`, 0 or 1
  BOOL(1);

  private final int bytes;

  DType(int bytes) { this.bytes = bytes; }

  public int bytes() { return bytes; }

  /// A new array for `n` elements.
  public Object array(int n) {
    return switch (this) {
      case F32 -> new float[n];
      case BF16, F16 -> new short[n];
      case I32 -> new int[n];
      case I64 -> new long[n];
      case U8, BOOL -> new byte[n];
    };
  }

  public boolean floating() { return this == F32 || this == BF16 || this == F16; }

  /// BF16 bits to float: exact.
  public static float fromBf16(short bits) { return Float.intBitsToFloat(bits << 16); }

  /// Float to BF16 bits, to nearest, ties to even; NaN stays NaN.
  public static short toBf16(float x) {
    int b = Float.floatToRawIntBits(x);
    if ((b & 0x7fffffff) > 0x7f800000) return (short) ((b >>> 16) | 0x40);
    return (short) ((b + 0x7fff + ((b >>> 16) & 1)) >>> 16);
  }
}
