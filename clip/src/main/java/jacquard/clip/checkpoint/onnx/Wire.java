package jacquard.clip.checkpoint.onnx;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The fields of a protobuf message that lies in a file, one after the other. Nothing is copied, and a length that
/// leads out of the message is refused.
final class Wire {
  private static final int VARINT = 0, EIGHT = 1, BYTES = 2, FOUR = 5;

  private final MemorySegment bytes;
  private long at;
  private int field, kind;
  private long number;
  private MemorySegment content;

  Wire(MemorySegment bytes) { this.bytes = bytes; }

  /// Goes on to the next field; false behind the last.
  boolean next() throws IOException {
    if (at == bytes.byteSize()) return false;
    long tag = varint();
    if (tag >>> 3 == 0 || tag >>> 3 > 1 << 29) throw new IOException("a field has the number " + (tag >>> 3));
    field = (int) (tag >>> 3);
    kind = (int) tag & 7;
    switch (kind) {
      case VARINT -> number = varint();
      case EIGHT -> content = part(8);
      case BYTES -> content = part(varint());
      case FOUR -> content = part(4);
      default -> throw new IOException("field " + field + " is of the kind " + kind + ", which no message has");
    }
    return true;
  }

  int field() { return field; }

  /// Whether the field is a whole number, else bytes.
  boolean isNumber() { return kind == VARINT; }

  long number() throws IOException {
    if (kind == VARINT) return number;
    throw new IOException("field " + field + " is no number");
  }

  MemorySegment content() throws IOException {
    if (kind == BYTES) return content;
    throw new IOException("field " + field + " holds no bytes");
  }

  boolean ended() { return at == bytes.byteSize(); }

  /// Seven bits a byte, the lowest first, ten bytes at most.
  long varint() throws IOException {
    long r = 0;
    for (int shift = 0; shift < 70 && at < bytes.byteSize(); shift += 7) {
      byte b = bytes.get(ValueLayout.JAVA_BYTE, at++);
      r |= (b & 0x7fL) << shift;
      if (b >= 0) return r;
    }
    throw new IOException("a number does not end");
  }

  private MemorySegment part(long size) throws IOException {
    if (size < 0 || size > bytes.byteSize() - at)
      throw new IOException("field " + field + " would have " + Long.toUnsignedString(size) + " bytes, there are "
          + (bytes.byteSize() - at) + "; is the file cut off?");
    at += size;
    return bytes.asSlice(at - size, size);
  }
}
