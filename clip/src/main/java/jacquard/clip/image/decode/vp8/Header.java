package jacquard.clip.image.decode.vp8;

/// The frame header of a key frame (RFC 6386, section 9), read up to the macroblocks.
final class Header {
  final int width, height;
  final Bits first; // the first partition, where the macroblocks' modes follow
  final Bits[] partitions; // the coefficients, a macroblock row each in turn
  final int[] probabilities = Tables.COEFFICIENTS.clone();
  final int[][] steps = new int[4][6]; // by segment: Y first, Y other, Y2 first, Y2 other, chroma first, chroma other
  final int[] segmentProbabilities = {255, 255, 255};
  final boolean segmentMap;
  final int skipProbability; // −1 where blocks do not say so
  final boolean simpleFilter;
  final int sharpness;
  final int[][] levels = new int[4][2]; // loop filter strength by segment, and whether 4×4 predicted

  Header(byte[] data, int from, int to) {
    check(data, from, to);
    int size = (data[from] & 255 | (data[from + 1] & 255) << 8 | (data[from + 2] & 255) << 16) >> 5;
    width = (data[from + 6] & 255 | (data[from + 7] & 255) << 8) & 0x3FFF;
    height = (data[from + 8] & 255 | (data[from + 9] & 255) << 8) & 0x3FFF;
    if (width == 0 || height == 0) throw new IllegalArgumentException("a VP8 frame of " + width + "x" + height);
    if (size > to - from - 10)
      throw new IllegalArgumentException("a first partition of " + size + " bytes, " + (to - from - 10) + " are left");
    first = new Bits(data, from + 10, from + 10 + size);
    first.literal(2); // colour space and clamping, which change nothing here

    boolean segmented = first.flag(), absolute = true;
    int[] segmentQuantiser = new int[4], segmentLevel = new int[4];
    boolean map = false;
    if (segmented) {
      map = first.flag();
      if (first.flag()) {
        absolute = first.flag();
        for (int i = 0; i < 4; i++) segmentQuantiser[i] = first.optional(7);
        for (int i = 0; i < 4; i++) segmentLevel[i] = first.optional(6);
      }
      if (map) for (int i = 0; i < 3; i++) segmentProbabilities[i] = first.flag() ? first.literal(8) : 255;
    }
    segmentMap = map;
    simpleFilter = first.flag();
    int level = first.literal(6);
    sharpness = first.literal(3);
    int intra = 0, fourByFour = 0;
    if (first.flag() && first.flag()) { // adjustments, and here they are
      for (int i = 0; i < 4; i++) {
        int adjustment = first.optional(6);
        if (i == 0) intra = adjustment;
      }
      for (int i = 0; i < 4; i++) {
        int adjustment = first.optional(6);
        if (i == 0) fourByFour = adjustment;
      }
    }
    for (int s = 0; s < 4; s++) {
      int base = !segmented ? level : absolute ? segmentLevel[s] : level + segmentLevel[s];
      for (int i = 0; i < 2; i++) levels[s][i] = level == 0 ? 0 : Math.clamp(base + intra + i * fourByFour, 0, 63);
    }
    partitions = partitions(data, from + 10 + size, to, 1 << first.literal(2));
    quantiser(segmented, absolute, segmentQuantiser);
    first.flag(); // whether to keep the probabilities for a next frame
    for (int i = 0; i < probabilities.length; i++)
      if (first.next(Tables.UPDATES[i])) probabilities[i] = first.literal(8);
    skipProbability = first.flag() ? first.literal(8) : -1;
  }

  /// Checks that the bytes begin a key frame.
  static void check(byte[] data, int from, int to) {
    if (to - from < 10)
      throw new IllegalArgumentException("a VP8 frame of " + (to - from) + " bytes, expected at least 10");
    int tag = data[from] & 255 | (data[from + 1] & 255) << 8 | (data[from + 2] & 255) << 16;
    if ((tag & 1) != 0 || (tag >> 1 & 7) > 3)
      throw new IllegalArgumentException("a VP8 frame that is no key frame of version 0 to 3");
    if ((tag >> 4 & 1) == 0) throw new IllegalArgumentException("a VP8 frame that is not to be shown");
    if (tag >> 5 >= to - from)
      throw new IllegalArgumentException("a VP8 frame of " + (to - from) + " bytes with a part of " + (tag >> 5));
    if ((data[from + 3] & 255) != 0x9D || data[from + 4] != 1 || data[from + 5] != 0x2A)
      throw new IllegalArgumentException("a VP8 frame without its start code");
  }

  private static Bits[] partitions(byte[] data, int from, int to, int count) {
    int at = from + 3 * (count - 1);
    if (at > to)
      throw new IllegalArgumentException("sizes of " + count + " partitions do not fit into " + (to - from) + " bytes");
    Bits[] partitions = new Bits[count];
    for (int i = 0; i < count; i++) {
      int entry = from + 3 * i, size = i == count - 1 ? to - at
          : data[entry] & 255 | (data[entry + 1] & 255) << 8 | (data[entry + 2] & 255) << 16;
      if (i == count - 1 && at == to) throw new IllegalArgumentException("nothing is left for the last partition");
      int end = Math.min(to - at, size) + at;
      partitions[i] = new Bits(data, at, end);
      at = end;
    }
    return partitions;
  }

  private void quantiser(boolean segmented, boolean absolute, int[] segments) {
    int index = first.literal(7), yFirst = first.optional(4), y2First = first.optional(4), y2Other = first.optional(4);
    int chromaFirst = first.optional(4), chromaOther = first.optional(4);
    for (int s = 0; s < 4; s++) {
      int q = !segmented ? index : absolute ? segments[s] : index + segments[s];
      steps[s] = new int[] {
          Tables.FIRST_STEPS[Math.clamp(q + yFirst, 0, 127)], Tables.OTHER_STEPS[Math.clamp(q, 0, 127)],
          Tables.FIRST_STEPS[Math.clamp(q + y2First, 0, 127)] * 2,
              Math.max(Tables.OTHER_STEPS[Math.clamp(q + y2Other, 0, 127)] * 155 / 100, 8),
          Tables.FIRST_STEPS[Math.clamp(q + chromaFirst, 0, 117)],
          Tables.OTHER_STEPS[Math.clamp(q + chromaOther, 0, 127)]};
    }
  }
}
