package jacquard.clip.image.decode.vp8l;

import java.util.Arrays;
import java.util.stream.IntStream;

/// Decodes a lossless picture of WebP (RFC 9649, section 3) to the bit. Pixels are
/// `alpha << 24 | red << 16 | green << 8 | blue`.
public final class Lossless {
  private static final int LITERALS = 256, LENGTHS = 24, DISTANCES = 40;
  private static final int[] NEAR = near();

  private final Bits bits;

  private Lossless(Bits bits) { this.bits = bits; }

  /// What the header says.
  public record Size(int width, int height, boolean opacity) {}

  /// Width, height and whether opacity counts, from the picture's header alone.
  /// @throws IllegalArgumentException when the bytes are no lossless picture
  public static Size size(byte[] data, int from, int to) {
    if (to - from < 5 || data[from] != 0x2F)
      throw new IllegalArgumentException("no lossless picture: its signature is missing");
    int word = data[from + 1] & 255 | (data[from + 2] & 255) << 8 | (data[from + 3] & 255) << 16 | data[from + 4] << 24;
    if (word >>> 29 != 0)
      throw new IllegalArgumentException("a lossless picture of version " + (word >>> 29) + ", expected 0");
    return new Size((word & 0x3FFF) + 1, (word >> 14 & 0x3FFF) + 1, (word >> 28 & 1) != 0);
  }

  /// The pixels `[height, width]` of the picture in bytes `from` to `to`, after its size was looked at.
  /// @throws IllegalArgumentException when they are no whole lossless picture
  public static int[] decode(byte[] data, int from, int to) {
    Size size = size(data, from, to);
    return headless(data, from + 5, to, size.width, size.height);
  }

  /// The same without a header, as opacity is stored.
  public static int[] headless(byte[] data, int from, int to, int width, int height) {
    var picture = new Lossless(new Bits(data, from, to));
    int[] pixels = picture.picture(width, height);
    if (picture.bits.exhausted()) throw new IllegalArgumentException("the lossless picture ends before its last pixel");
    return pixels;
  }

  private int[] picture(int width, int height) {
    Transform[] transforms = new Transform[4];
    int count = 0, seen = 0, stored = width;
    while (bits.flag()) {
      int type = bits.read(2);
      if ((seen & 1 << type) != 0) throw new IllegalArgumentException("transform " + type + " twice");
      seen |= 1 << type;
      Transform transform = transform(type, stored, height);
      transforms[count++] = transform;
      stored = transform.stored();
    }
    int[] pixels = coded(stored, height, true);
    while (count > 0) pixels = transforms[--count].inverse(pixels, height);
    return pixels;
  }

  private Transform transform(int type, int width, int height) {
    if (type == 2) return new Transform(type, width, 0, null);
    if (type == 3) {
      int size = bits.read(8) + 1, packed = size <= 2 ? 3 : size <= 4 ? 2 : size <= 16 ? 1 : 0;
      int[] table = Arrays.copyOf(coded(size, 1, false), 256); // clear beyond what is named
      for (int i = 1; i < size; i++) table[i] = Transform.add(table[i], table[i - 1]);
      return new Transform(type, width, packed, table);
    }
    int block = bits.read(3) + 2;
    return new Transform(type, width, block, coded(blocks(width, block), blocks(height, block), false));
  }

  static int blocks(int size, int bits) { return size + (1 << bits) - 1 >> bits; }

  /// Five codes: green with lengths and the colour cache, red, blue, alpha, distances. `literal` is the pixel that
  /// takes no bits, where there is one and nothing else.
  private record Group(Code green, Code red, Code blue, Code alpha, Code distance) {
    boolean plain() {
      return green.only() >= 0 && green.only() < LITERALS && red.only() >= 0 && blue.only() >= 0 && alpha.only() >= 0;
    }

    int literal(int green, Bits bits) {
      int r = red.next(bits) << 16, b = blue.next(bits);
      return alpha.next(bits) << 24 | r | green << 8 | b;
    }
  }

  /// Pixels as they are coded (section 3.6), without transforms; only the picture itself has groups of codes by place.
  private int[] coded(int width, int height, boolean whole) {
    int cacheBits = bits.flag() ? bits.read(4) : 0;
    if (cacheBits > 11)
      throw new IllegalArgumentException("a colour cache of " + cacheBits + " bits, expected 1 to 11");
    int[] places = null;
    int block = 0, groups = 1;
    if (whole && bits.flag()) {
      block = bits.read(3) + 2;
      places = coded(blocks(width, block), blocks(height, block), false);
      for (int i = 0; i < places.length; i++) {
        places[i] = places[i] >> 8 & 0xFFFF;
        groups = Math.max(groups, places[i] + 1);
      }
    }
    Group[] codes = new Group[groups];
    for (int i = 0; i < groups; i++) {
      int cache = cacheBits == 0 ? 0 : 1 << cacheBits;
      codes[i] = new Group(Code.read(bits, LITERALS + LENGTHS + cache), Code.read(bits, 256), Code.read(bits, 256),
          Code.read(bits, 256),
          Code.read(bits, DISTANCES));
      if (bits.exhausted()) throw new IllegalArgumentException("the lossless picture ends in its codes");
    }
    int[] pixels = new int[Math.multiplyExact(width, height)];
    if (groups == 1 && codes[0].plain()) Arrays.fill(pixels, codes[0].literal(codes[0].green.only(), bits));
    else fill(pixels, width, codes, places, block, cacheBits);
    return pixels;
  }

  private void fill(int[] pixels, int width, Group[] codes, int[] places, int block, int cacheBits) {
    int[] cache = cacheBits == 0 ? null : new int[1 << cacheBits];
    int across = blocks(width, block), cached = 0, inBlock = (1 << block) - 1;
    Group group = codes[0];
    for (int at = 0, x = 0, y = 0; at < pixels.length; ) {
      if (places != null && (x & inBlock) == 0) group = codes[places[(y >> block) * across + (x >> block)]];
      int green = group.green.next(bits);
      if (green < LITERALS) {
        pixels[at++] = group.literal(green, bits);
        if (++x == width) {
          x = 0;
          y++;
          if (bits.exhausted()) throw new IllegalArgumentException("the lossless picture ends in row " + y);
        }
      } else if (green < LITERALS + LENGTHS) {
        int length = extended(green - LITERALS), distance = distance(extended(group.distance.next(bits)), width);
        if (distance > at || length > pixels.length - at)
          throw new IllegalArgumentException("a repetition of " + length + " pixels from " + distance + " before pixel "
              + at);
        if (bits.exhausted()) throw new IllegalArgumentException("the lossless picture ends in row " + y);
        for (int end = at + length; at < end; at++) pixels[at] = pixels[at - distance];
        x += length;
        y += x / width;
        x %= width;
        if (places != null && at < pixels.length) group = codes[places[(y >> block) * across + (x >> block)]];
      } else {
        for (; cached < at; cached++) cache[slot(pixels[cached], cacheBits)] = pixels[cached];
        pixels[at++] = cache[green - LITERALS - LENGTHS];
        if (++x == width) {
          x = 0;
          y++;
        }
      }
    }
  }

  private static int slot(int pixel, int bits) { return pixel * 0x1E35A7BD >>> 32 - bits; }

  /// A number from its prefix: the first four stand for themselves, the others are followed by more bits.
  private int extended(int prefix) {
    if (prefix < 4) return prefix + 1;
    int extra = prefix - 2 >> 1;
    return (2 + (prefix & 1) << extra) + bits.read(extra) + 1;
  }

  private static int distance(int code, int width) {
    if (code > NEAR.length) return code - NEAR.length;
    int near = NEAR[code - 1];
    return Math.max(1, (near >> 8) * width + (byte) near);
  }

  /// The 120 pixels in seven rows above and eight columns aside, from near to far (section 3.6.2.2): rows up in the
  /// high byte, columns to the left in the low one.
  private static int[] near() {
    return IntStream.range(0, 8).boxed().flatMap(up -> IntStream.rangeClosed(-7, 8).filter(left -> up > 0 || left > 0)
        .mapToObj(left -> new int[] {up, left}))
        .sorted((a, b) -> {
          int byDistance = Integer.compare(a[0] * a[0] + a[1] * a[1], b[0] * b[0] + b[1] * b[1]);
          int byColumn = Integer.compare(Math.abs(a[1]), Math.abs(b[1]));
          return byDistance != 0 ? byDistance : byColumn != 0 ? byColumn : Integer.compare(b[1], a[1]);
        })
        .mapToInt(p -> p[0] << 8 | p[1] & 255).toArray();
  }
}
