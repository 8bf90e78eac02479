package jacquard.clip.checkpoint;

import jacquard.tensor.DType;

/// The element types that a safetensors file may hold and Jacquard reads, named as the file names them; little-endian.
public enum Stored {
  F64(8, DType.F32), F32(4, DType.F32), BF16(2, DType.BF16), F16(2, DType.F16),
  I64(8, DType.I64), I32(4, DType.I32), I16(2, DType.I32), I8(1, DType.I32), U8(1, DType.U8), BOOL(1, DType.BOOL);

  private final int bytes;
  private final DType dtype;

  Stored(int bytes, DType dtype) {
    this.bytes = bytes;
    this.dtype = dtype;
  }

  /// Bytes an element.
  public int bytes() { return bytes; }

  /// The element type that a tensor of it has in memory: the same, but F64 becomes F32, I16 and I8 become I32.
  public DType dtype() { return dtype; }

  public boolean floating() { return dtype.floating(); }

  /// The type on disk of a tensor in memory.
  public static Stored of(DType dtype) { return valueOf(dtype.name()); }
}
