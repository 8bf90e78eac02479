package jacquard.clip.image.decode;

import jacquard.clip.image.ImageException;
import jacquard.clip.image.Images;

/// The bytes of a file with the name that stands in errors and what is accepted of it. A read beyond the end is an
/// [ImageException].
public record FileBytes(byte[] bytes, String name, Images.Options options) {
  /// A refusal that begins with the file's name.
  public ImageException refusal(String problem, Object... values) {
    return new ImageException(name, values.length == 0 ? problem : problem.formatted(values));
  }

  /// The same with other bytes, for a file inside this one.
  public FileBytes with(byte[] bytes) { return new FileBytes(bytes, name, options); }

  public int length() { return bytes.length; }

  /// Checks that `count` bytes lie at `at`.
  public void require(long at, long count) throws ImageException {
    if (at < 0 || count < 0 || at > bytes.length - count)
      throw refusal("truncated: %,d bytes, expected %,d at byte %,d", bytes.length, count, at);
  }

  public int u8(long at) throws ImageException {
    require(at, 1);
    return bytes[(int) at] & 255;
  }

  /// Two bytes, the low one first.
  public int u16(long at) throws ImageException { return u8(at) | u8(at + 1) << 8; }

  /// Four bytes, the low one first.
  public long u32(long at) throws ImageException { return u16(at) | (long) u16(at + 2) << 16; }

  /// Two bytes, the high one first.
  public int big16(long at) throws ImageException { return u8(at) << 8 | u8(at + 1); }

  /// Refuses an image that has no pixels or more than the limit.
  public void checkSize(long width, long height) throws ImageException {
    if (width <= 0 || height <= 0)
      throw refusal("the header says %dx%d pixels, expected a positive size", width, height);
    long most = Math.min(options.maximumPixels(), Integer.MAX_VALUE / 8); // 8 bytes a pixel must fit into an array
    if (height > most / width)
      throw refusal("the header says %dx%d pixels, expected at most %,d in all", width, height, most);
  }
}
