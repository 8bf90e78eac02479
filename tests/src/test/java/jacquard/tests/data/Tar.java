package jacquard.tests.data;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// A tar written entry by entry, with whatever header.
final class Tar {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  Tar file(String name, String content) { return file(name, content.getBytes(StandardCharsets.UTF_8)); }
  Tar file(String name, byte[] content) { return entry('0', "", name, octal(content.length), content); }

  Tar entry(char type, String prefix, String name, byte[] size, byte[] content) {
    byte[] h = new byte[512];
    put(h, 0, name.getBytes(StandardCharsets.UTF_8));
    put(h, 124, size);
    put(h, 148, "        ".getBytes(StandardCharsets.US_ASCII));
    h[156] = (byte) type;
    put(h, 257, "ustar\00000".getBytes(StandardCharsets.US_ASCII));
    put(h, 345, prefix.getBytes(StandardCharsets.UTF_8));
    int sum = 0;
    for (byte b : h) sum += b & 255;
    put(h, 148, "%06o\0 ".formatted(sum).getBytes(StandardCharsets.US_ASCII));
    bytes.writeBytes(h);
    bytes.writeBytes(content);
    bytes.writeBytes(new byte[(512 - content.length % 512) % 512]);
    return this;
  }

  static byte[] octal(long n) { return "%011o\0".formatted(n).getBytes(StandardCharsets.US_ASCII); }
  private static void put(byte[] h, int at, byte[] b) { System.arraycopy(b, 0, h, at, b.length); }

  byte[] end() {
    bytes.writeBytes(new byte[1024]);
    return bytes.toByteArray();
  }
}
